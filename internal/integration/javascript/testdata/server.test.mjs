// The client against the example application, which runs at BASE.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, test } from "node:test";
import { ApiError, Client } from "../../../../js/client.js";

const base = process.env.BASE;
assert.ok(base, "BASE names the application");

// browser has the cookies of one user. Its fetch is the one that the client uses.
function browser() {
  const cookies = new Map();
  const send = async (url, init = {}) => {
    const headers = new Headers(init.headers);
    headers.set("Cookie", [...cookies].map(([k, v]) => `${k}=${v}`).join("; "));
    const response = await fetch(url, { ...init, headers });
    const header = response.headers.get("Set-Cookie") ?? ""; // several are joined
    for (const set of header.split(/,\s*(?=[^;,\s]+=)/).filter(Boolean)) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      if (/max-age=0/i.test(set)) cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  const post = (path, body) => send(base + path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  return { client: counted(new Client({ base: `${base}/mfa`, fetch: send })), post };
}

// counted keeps which methods were called.
const called = new Set();
function counted(client) {
  return new Proxy(client, {
    get: (_, name) => typeof client[name] !== "function" ? client[name] : (...args) => {
      called.add(name);
      return client[name](...args);
    },
  });
}

async function login(username) {
  const b = browser();
  const response = await b.post("/api/login", { username, password: `${username}-demo-password` });
  assert.equal(response.status, 200);
  return b.client;
}

const demo = async (path, init) => (await fetch(base + path, init)).json();
const advance = (by) => demo("/demo/clock", {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ advance: by }),
});

async function mailed(to) {
  for (const m of await demo("/demo/outbox")) {
    const code = /\b\d{6}\b/.exec(m.text);
    if (m.to === to && code) return code[0];
  }
  return assert.fail(`no code was sent to ${to}`);
}

// shown is what an authenticator app shows now (RFC 6238).
async function shown(secret) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)));
  const counter = Buffer.alloc(8);
  const { now } = await demo("/demo/clock");
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.parse(now) / 30000)));
  const sum = createHmac("sha1", key).update(counter).digest();
  const code = sum.readUInt32BE(sum[19] & 15) & 0x7fffffff;
  return String(code % 1e6).padStart(6, "0");
}

async function byMail(username) {
  const client = await login(username);
  await client.send({ kind: "email" });
  await client.verify({ kind: "email", code: await mailed(`${username}@acme.example`) });
  return client;
}

const refused = (call, want) => assert.rejects(call, (err) => {
  assert.ok(err instanceof ApiError, String(err));
  for (const [name, value] of Object.entries(want)) assert.equal(err[name], value, `${name} of ${err.code}`);
  return true;
});

test("a user signs in by an e-mailed code, typed with a space", async () => {
  await refused(browser().client.state(), { code: "unauthorized", status: 401 });
  const client = await login("anna");
  const state = await client.state();
  assert.deepEqual([state.next, state.signed_in, state.locked], ["verify", false, false]);
  assert.equal(state.options[0].kind, "email");
  const sent = await client.send({ kind: "email" });
  assert.deepEqual([sent.kind, typeof sent.hint, typeof sent.expires_in], ["email", "string", "number"]);
  await refused(client.verify({ kind: "email", code: "letters" }), { code: "malformed", reason: "code_form", status: 400 });
  const code = await mailed("anna@acme.example");
  const wrong = code === "000000" ? "000001" : "000000";
  await refused(client.verify({ kind: "email", code: wrong }), { code: "incorrect", attemptsLeft: 4, status: 401 });
  const done = await client.verify({ kind: "email", code: `${code.slice(0, 3)} ${code.slice(3)}` });
  assert.deepEqual([done.next, done.kind], ["done", "email"]);
  assert.equal((await client.state()).signed_in, true);
});

test("a user looks at what may be enrolled, cancels, and signs out", async () => {
  const client = await byMail("ines");
  const { choices, replacing } = await client.enrollChoices();
  assert.ok(choices.some((c) => c.kind === "totp" && !c.enrolled));
  assert.equal(replacing, false);
  const { countries } = await client.countries();
  assert.ok(countries.some((c) => c.region === "NL" && c.calling_code === "31"));
  assert.ok((await client.questionSuggestions()).questions.length > 3);
  const { enrollment } = await client.enroll({ kind: "totp" });
  assert.deepEqual(await client.cancelEnrollment({ enrollment }), {});
  await refused(client.confirm({ enrollment, code: "287549" }), { code: "expired", status: 401 });
  await refused(client.confirmLink({ token: "x" }), { code: "expired", status: 401 });
  await client.stepUp({ purpose: "step-up" });
  assert.deepEqual(await client.cancel({ purpose: "step-up" }), {});
  await assert.rejects(client.postpone(), ApiError, "there is nothing to postpone");
  assert.deepEqual(await client.decline({ kind: "totp" }), { kind: "totp" });
  assert.deepEqual(await client.signOut(), {});
  await refused(client.state(), { code: "unauthorized", status: 401 });
});

test("a user manages factors, and signs in by a recovery code", async () => {
  const client = await byMail("ben");
  const begun = await client.enroll({ kind: "totp", name: "Phone" });
  assert.match(begun.secret, /^[A-Z2-7]{32}$/);
  assert.match(begun.qr_svg, /^<svg/);
  const { factor } = await client.confirm({ enrollment: begun.enrollment, code: await shown(begun.secret) });
  assert.equal(factor.name, "Phone");
  assert.equal((await client.rename({ id: factor.id, name: "Old phone" })).name, "Old phone");
  const { codes, factor: set } = await client.recoveryCodes();
  assert.equal(codes.length, 10);
  assert.deepEqual(await client.recoveryCodesSaved({ factor: set }), {});
  const { factors, recovery_left: left } = await client.factors();
  assert.ok(factors.some((f) => f.id === factor.id && f.name === "Old phone"));
  assert.equal(left, 10);

  await advance("30s");
  const challenge = await client.stepUp({ purpose: "step-up" });
  assert.deepEqual([challenge.next, challenge.purpose], ["verify", "step-up"]);
  await client.verify({ kind: "totp", code: await shown(begun.secret), purpose: "step-up" });

  const other = await login("ben");
  assert.equal((await other.verify({ kind: "recovery", code: codes[0] })).recovery_left, 9);
  await refused(client.remove({ id: "unknown" }), { code: "not_available", status: 404 });

  const sms = await client.enroll({ kind: "sms", number: "+31612345678", password: "ben-demo-password" });
  assert.equal((await client.resend({ enrollment: sms.enrollment })).kind, "sms");
  assert.equal((await client.mailElsewhere({ enrollment: sms.enrollment })).kind, "email");
  await client.remove({ id: factor.id });
});

test("a user changes the address of the account", async () => {
  const client = await byMail("carla");
  assert.equal((await client.factors()).can_change_address, true);
  const taken = await client.changeAddress({ address: "anna@acme.example" });
  await refused(client.confirmAddress({ enrollment: taken.enrollment,
    code: await mailed("anna@acme.example") }), { code: "address_taken", status: 409 });
  const { enrollment, kind } = await client.changeAddress({ address: "carla@new.example" });
  assert.equal(kind, "email");
  assert.deepEqual(await client.confirmAddress({ enrollment,
    code: await mailed("carla@new.example") }), {});
});

test("a guesser is locked, and is told for how long", async () => {
  const client = await login("emma");
  await client.send({ kind: "email" });
  const code = await mailed("emma@acme.example");
  const wrong = code === "000000" ? "000001" : "000000";
  for (let left = 4; left >= 0; left--) {
    await refused(client.verify({ kind: "email", code: wrong }), { code: "incorrect", attemptsLeft: left });
  }
  const err = await client.verify({ kind: "email", code }).catch((e) => e);
  assert.deepEqual([err.code, err.status], ["locked", 429]);
  assert.ok(err.retryAfter > 100 && err.retryAfter <= 180, String(err.retryAfter));
  assert.equal((await client.state()).locked, true);
  await refused(client.unlock({ kind: "email", code }), { code: "not_available", status: 409 });
});

test("a user who lost a device asks for help", async () => {
  const client = await login("david");
  assert.deepEqual(await client.sendRecoveryLink(), {});
  assert.deepEqual(await client.requestSupport({ message: "My phone is gone." }), {});
  await refused(browser().client.openRecoveryLink({ token: "x" }), { status: 401 });
});

test("what happened to the account is listed", async () => {
  const client = await byMail("anna");
  const { events: [newest] } = await client.history();
  assert.equal(newest.event, "verify.success");
  assert.equal(newest.kind, "email");
});

test("remembered devices are listed and forgotten", async () => {
  const client = await byMail("anna");
  assert.deepEqual(await client.devices(), { devices: [] });
  assert.deepEqual(await client.prefer({ kind: "" }), { kind: "" });
  assert.deepEqual(await client.useImplied({ use: true }), { use: true });
  assert.deepEqual(await client.forgetDevices(), {});
  await refused(client.forgetDevice({ id: "unknown" }), { status: 404 });
});

test("a passkey is asked for without a user", async () => {
  const { client } = browser();
  const { challenge, data, expires_in: valid } = await client.beginPasswordless();
  assert.ok(valid > 0);
  assert.equal(typeof data.publicKey.challenge, "string");
  await refused(client.verifyPasswordless({ challenge, code: { id: "x" } }), { code: "malformed", status: 400 });
});

after(() => {
  const methods = Object.getOwnPropertyNames(Client.prototype).filter((n) => n !== "constructor");
  assert.deepEqual(methods.filter((m) => !called.has(m)), [], "each method was called");
});
