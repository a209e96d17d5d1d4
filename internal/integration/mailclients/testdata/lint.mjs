// Reads {clients, mails} from standard input and writes what the data of caniemail.com says that a
// client does not support, or supports in part: [{mail, client, feature, notes}]. The argument is
// the node_modules directory.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { caniemail } = await import(pathToFileURL(process.argv[2] + "/caniemail/dist/index.js"));
const { clients, mails } = JSON.parse(readFileSync(0, "utf8"));
const found = [];
for (const [mail, html] of Object.entries(mails)) {
  // The linter does not look into @media, so what is in one is looked at as well.
  const inMedia = [...html.matchAll(/@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)\s*\}/g)].map((m) => m[1]);
  for (const part of [{ html }, ...inMedia.map((css) => ({ css }))]) {
    const { issues } = caniemail({ clients, ...part });
    for (const list of [issues.errors, issues.warnings]) {
      for (const [client, each] of list) {
        for (const { title, notes } of each) found.push({ mail, client, feature: title, notes });
      }
    }
  }
}
console.log(JSON.stringify(found));
