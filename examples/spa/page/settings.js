// Enrols an authenticator app and passkeys, and shows recovery codes.
import { codeField } from "./js/codefield.js";
import * as passkey from "./js/passkey.js";
import { ask, byId, client, explain, next, on } from "./signin.js";

const code = codeField(byId("app-code"));
let enrollment;
let opening = new AbortController();

// open shows the factors of a user who is signed in. A user without a factor enrols one first,
// which completes the sign-in.
async function open() {
  opening.abort();
  opening = new AbortController();
  const { signal } = opening;
  try {
    await fill(signal);
  } catch (err) {
    if (!signal.aborted) throw err; // otherwise the page shows something else by now
  }
}

async function fill(signal) {
  hideCodes();
  const state = await client.state({ signal });
  for (const id of ["make-codes", "factors"]) byId(id).hidden = !state.signed_in;
  byId("account").textContent = "not yet";
  if (!state.signed_in) return;
  const { factors } = await client.factors({ signal });
  byId("factors").replaceChildren(...factors.map((factor) => {
    const item = document.createElement("li");
    const unsaved = factor.codes_saved === false ? ", not saved yet" : "";
    item.textContent = `${factor.kind}: ${factor.name}${unsaved}`;
    return item;
  }));
  const me = await fetch("api/me", { headers: { Accept: "application/json" }, signal });
  byId("account").textContent = (await me.json()).account;
}

document.addEventListener("arrived", () => open().catch(explain));

// fresh does what needs a fresh proof. It asks for one where the last is too old.
async function fresh(run) {
  try {
    await run();
  } catch (err) {
    if (err.code !== "step_up") throw err;
    ask(await client.stepUp());
  }
}

on("add-app", "click", () => fresh(async () => {
  const begun = await client.enroll({ kind: "totp" });
  enrollment = begun.enrollment;
  byId("qr").src = `data:image/svg+xml,${encodeURIComponent(begun.qr_svg)}`;
  byId("key").textContent = begun.secret;
  byId("app-form").hidden = false;
  code.clear();
}));

on("app-form", "submit", async () => {
  await client.confirm({ enrollment, code: code.code });
  byId("app-form").hidden = true;
  byId("key").textContent = "";
  byId("qr").removeAttribute("src");
  await open();
});

on("add-passkey", "click", () => fresh(async () => {
  const begun = await client.enroll({ kind: "passkey", name: "This device" });
  const created = await passkey.create(begun.data);
  await client.confirm({ enrollment: begun.enrollment, code: created });
  await open();
}));

on("make-codes", "click", () => fresh(async () => {
  const { codes } = await client.recoveryCodes();
  byId("codes").replaceChildren(...codes.map((text) => {
    const item = document.createElement("li");
    item.textContent = text;
    return item;
  }));
  byId("codes-saved").hidden = false;
}));

// Codes are valid once they were shown. The user says that they are saved, and sees them no more.
on("codes-saved", "click", async () => {
  const { factors } = await client.factors();
  const codes = factors.find((factor) => factor.kind === "recovery");
  if (codes) await client.recoveryCodesSaved({ factor: codes.id });
  await open();
});

function hideCodes() {
  byId("codes").replaceChildren();
  byId("codes-saved").hidden = true;
}

on("sign-out", "click", async () => {
  opening.abort();
  await client.signOut();
  await next();
});
