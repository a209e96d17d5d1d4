import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import * as passkey from "../passkey.js";

const { PasskeyError } = passkey;
const bytes = (...list) => Uint8Array.from(list).buffer;

// browser puts a browser's parts in place. container is navigator.credentials.
function browser(container, statics = {}) {
  globalThis.isSecureContext = true;
  globalThis.PublicKeyCredential = Object.assign(class {}, statics);
  Object.defineProperty(globalThis, "navigator", {
    configurable: true, value: { credentials: container },
  });
}

afterEach(() => {
  delete globalThis.isSecureContext;
  delete globalThis.PublicKeyCredential;
  Object.defineProperty(globalThis, "navigator", { configurable: true, value: undefined });
});

const creation = {
  publicKey: {
    challenge: "AQID", user: { id: "_-8", name: "ann" }, excludeCredentials: [{ id: "BA", type: "public-key" }],
    timeout: 60000,
  },
};
const request = {
  publicKey: { challenge: "AQID", rpId: "example.com", allowCredentials: [{ id: "BA", type: "public-key" }], timeout: 60000 },
};

// The vectors of RFC 4648 section 10, without padding, and the two letters that differ.
test("base64url encodes and decodes the vectors of RFC 4648", () => {
  for (const [text, encoded] of [["", ""], ["f", "Zg"], ["fo", "Zm8"], ["foo", "Zm9v"],
    ["foob", "Zm9vYg"], ["fooba", "Zm9vYmE"], ["foobar", "Zm9vYmFy"]]) {
    const raw = new TextEncoder().encode(text);
    assert.equal(passkey.toBase64url(raw), encoded);
    assert.equal(passkey.toBase64url(raw.buffer), encoded);
    assert.deepEqual([...passkey.fromBase64url(encoded)], [...raw]);
  }
  assert.equal(passkey.toBase64url(bytes(0xfb, 0xef, 0xff)), "--__");
  assert.deepEqual([...passkey.fromBase64url("--__")], [0xfb, 0xef, 0xff]);
});

test("base64url agrees with Buffer for every byte and length", () => {
  for (let length = 0; length < 300; length++) {
    const raw = Uint8Array.from({ length }, (_, i) => (i * 7 + length) % 256);
    const encoded = Buffer.from(raw).toString("base64url");
    assert.equal(passkey.toBase64url(raw), encoded);
    assert.deepEqual(passkey.fromBase64url(encoded), raw);
  }
  assert.equal(passkey.toBase64url(new Uint8Array(1 << 17)).length, 174763, "no limit of arguments");
});

test("base64url refuses padding, the other alphabet, spaces and impossible lengths", () => {
  for (const text of ["Zg==", "ab+/", "a b", "Zg\n", "a", "abcde", "ü"]) {
    assert.throws(() => passkey.fromBase64url(text), SyntaxError, text);
  }
});

test("create decodes the options and encodes the credential by hand", async () => {
  let asked;
  browser({
    create: async (options) => {
      asked = options;
      return {
        id: "BQ", type: "public-key", response: {
          clientDataJSON: bytes(1), attestationObject: bytes(2), getTransports: () => ["internal"],
        },
      };
    },
  });
  assert.deepEqual(await passkey.create(creation), {
    id: "BQ", rawId: "BQ", type: "public-key",
    response: { clientDataJSON: "AQ", attestationObject: "Ag", transports: ["internal"] },
    clientExtensionResults: {},
  });
  assert.deepEqual([...asked.publicKey.challenge], [1, 2, 3]);
  assert.deepEqual([...asked.publicKey.user.id], [255, 239]);
  assert.deepEqual([...asked.publicKey.excludeCredentials[0].id], [4]);
  assert.equal(asked.publicKey.user.name, "ann");
  assert.equal(creation.publicKey.challenge, "AQID", "the options stay as they are");
});

test("get decodes the options and encodes the credential by hand", async () => {
  let asked;
  const response = { clientDataJSON: bytes(1), authenticatorData: bytes(2), signature: bytes(3) };
  browser({ get: async (options) => { asked = options; return { id: "BQ", type: "public-key", response }; } });
  const { signal } = new AbortController();
  assert.deepEqual((await passkey.get(request, { signal })).response, {
    clientDataJSON: "AQ", authenticatorData: "Ag", signature: "Aw",
  });
  assert.equal(asked.signal, signal);
  assert.equal(asked.mediation, undefined);
  assert.deepEqual([...asked.publicKey.allowCredentials[0].id], [4]);
  response.userHandle = bytes(9);
  assert.equal((await passkey.conditionalGet(request)).response.userHandle, "CQ");
  assert.equal(asked.mediation, "conditional");
});

test("the browser's own conversions are used where there are any", async () => {
  const made = { id: "made by the browser" };
  browser({
    create: async ({ publicKey }) => ({ toJSON: () => ({ ...made, publicKey }) }),
    get: async ({ publicKey }) => ({ toJSON: () => ({ ...made, publicKey }) }),
  }, {
    parseCreationOptionsFromJSON: (json) => ["creation", json],
    parseRequestOptionsFromJSON: (json) => ["request", json],
  });
  assert.deepEqual(await passkey.create(creation), { ...made, publicKey: ["creation", creation.publicKey] });
  assert.deepEqual(await passkey.get(request), { ...made, publicKey: ["request", request.publicKey] });
});

test("a toJSON of a password manager that throws is done by hand", async () => {
  browser({
    get: async () => ({
      id: "BQ", type: "public-key", toJSON() { throw new TypeError("Illegal invocation"); },
      response: { clientDataJSON: bytes(1), authenticatorData: bytes(2), signature: bytes(3) },
    }),
  });
  assert.equal((await passkey.get(request)).response.signature, "Aw");
});

const thrown = (name) => Object.assign(new Error(`the browser says ${name}`), { name });

test("what the browser throws is one of six codes", async () => {
  for (const [name, code] of [
    ["NotAllowedError", "cancelled"], ["AbortError", "cancelled"], ["TimeoutError", "timeout"],
    ["InvalidStateError", "already_registered"], ["NotSupportedError", "not_supported"],
    ["ConstraintError", "not_supported"], ["SecurityError", "insecure_context"],
    ["UnknownError", "unavailable"], ["OperationError", "unavailable"], ["TypeError", "unavailable"],
    ["constructor", "unavailable"],
  ]) {
    const cause = thrown(name);
    browser({ create: async () => { throw cause; }, get: async () => { throw cause; } });
    for (const ceremony of [() => passkey.create(creation), () => passkey.get(request),
      () => passkey.conditionalGet(request)]) {
      await assert.rejects(ceremony, (err) => {
        assert.ok(err instanceof PasskeyError && err instanceof Error);
        assert.deepEqual([err.name, err.code, err.cause], ["PasskeyError", code, cause], name);
        return true;
      });
    }
  }
});

test("time that runs out is no cancellation", async (t) => {
  let elapsed = 0;
  t.mock.method(performance, "now", () => elapsed);
  for (const [after, code] of [[59999, "cancelled"], [60000, "timeout"]]) {
    elapsed = 0;
    browser({ get: async () => { elapsed = after; throw thrown("NotAllowedError"); } });
    await assert.rejects(passkey.get(request), { code });
  }
  elapsed = 0;
  browser({ get: async () => { elapsed = 1e9; throw thrown("NotAllowedError"); } });
  await assert.rejects(passkey.get({ publicKey: { challenge: "" } }), { code: "cancelled" });
  const reason = thrown("TimeoutError");
  const controller = new AbortController();
  browser({ get: async () => { controller.abort(reason); throw thrown("AbortError"); } });
  await assert.rejects(passkey.get(request, { signal: controller.signal }), { code: "timeout" });
});

test("a browser without passkeys, or a page where it has none, says so", async () => {
  assert.equal(passkey.supported(), false);
  await assert.rejects(passkey.get(request), { code: "not_supported" });
  assert.equal(await passkey.conditionalSupported(), false);
  browser({});
  assert.equal(passkey.supported(), true);
  assert.equal(await passkey.conditionalSupported(), false);
  globalThis.isSecureContext = false;
  assert.equal(passkey.supported(), false);
  await assert.rejects(passkey.create(creation), { code: "insecure_context" });
  browser({ get: async () => null });
  await assert.rejects(passkey.get(request), { code: "cancelled" });
  await assert.rejects(passkey.get({ publicKey: { challenge: "+" } }), { code: "unavailable" });
});

test("capabilities are the browser's to say", async () => {
  const can = { conditionalCreate: true, hybridTransport: false };
  for (const [answer, want] of [[async () => can, can], [undefined, {}],
    [async () => { throw new Error(); }, {}]]) {
    browser({}, { getClientCapabilities: answer });
    assert.deepEqual(await passkey.capabilities(), want);
  }
});

test("create passes the mediation on", async () => {
  const asked = [];
  const credential = { toJSON: () => ({}) };
  browser({ create: async (options) => { asked.push(options.mediation); return credential; } });
  await passkey.create(creation);
  await passkey.create({ ...creation, mediation: "conditional" });
  assert.deepEqual(asked, [undefined, "conditional"]);
});

test("conditional support is the browser's to say", async () => {
  for (const [answer, want] of [[async () => true, true], [async () => false, false],
    [async () => { throw new Error(); }, false]]) {
    browser({}, { isConditionalMediationAvailable: answer });
    assert.equal(await passkey.conditionalSupported(), want);
  }
});

test("update hands the browser the user's passkeys, and never rejects", async () => {
  const passkeys = { rpId: "example.com", userId: "AQ", credentialIds: ["BQ"], name: "ann", displayName: "Ann" };
  await passkey.update(passkeys);
  const told = {};
  const refuse = async () => { throw new Error(); };
  browser({}, {
    signalAllAcceptedCredentials: refuse,
    signalCurrentUserDetails: async (what) => { told.details = what; },
  });
  await passkey.update({ ...passkeys, more: 1 });
  browser({}, { signalAllAcceptedCredentials: async (what) => { told.all = what; } });
  await passkey.update(passkeys);
  assert.deepEqual(told, {
    all: { rpId: "example.com", userId: "AQ", allAcceptedCredentialIds: ["BQ"] },
    details: { rpId: "example.com", userId: "AQ", name: "ann", displayName: "Ann" },
  });
});

test("forget tells the browser, and never rejects", async () => {
  await passkey.forget({ rpId: "example.com", credentialId: "BQ" });
  let told;
  browser({}, { signalUnknownCredential: async (what) => { told = what; } });
  await passkey.forget({ rpId: "example.com", credentialId: "BQ", more: 1 });
  assert.deepEqual(told, { rpId: "example.com", credentialId: "BQ" });
  browser({}, { signalUnknownCredential: async () => { throw new Error(); } });
  await passkey.forget({ rpId: "example.com", credentialId: "BQ" });
});
