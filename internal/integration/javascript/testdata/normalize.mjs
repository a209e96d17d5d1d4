// Prints how normalizeCode reads each character between two digits, where it changes it. Characters
// that this version of Unicode does not have are "unknown".
import { normalizeCode } from "../../../../js/codefield.js";

const read = {};
for (let c = 0; c <= 0x10ffff; c++) {
  if (c >= 0xd800 && c <= 0xdfff) continue;
  const text = `1${String.fromCodePoint(c)}2`;
  const code = normalizeCode(text);
  if (/\p{Cn}/u.test(text)) read[c] = "unknown";
  else if (code !== text) read[c] = code;
}
console.log(JSON.stringify(read));
