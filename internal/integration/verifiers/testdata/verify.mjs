// Verifies responses of passkeys with @simplewebauthn/server. Each line of the input is a list of
// cases, and each line of the output a list of what was thrown for them, "" for an accepted one.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const server = await import(
  pathToFileURL(`${process.argv[2]}/@simplewebauthn/server/esm/index.js`)
);

async function verify({ create, credential, ...options }) {
  try {
    const { verified } = create
      ? await server.verifyRegistrationResponse(options)
      : await server.verifyAuthenticationResponse({
          ...options,
          credential: { ...credential, publicKey: Buffer.from(credential.publicKey, "base64url") },
        });
    return verified ? "" : "not verified";
  } catch (err) {
    return `${err.name}: ${err.message}`;
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await Promise.all(JSON.parse(line).map(verify))));
}
