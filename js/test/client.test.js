import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { ApiError, Client } from "../client.js";

// The server replies with what a test puts into reply, and keeps the request.
let server;
let base;
let reply;
let got;

before(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    got = { method: request.method, url: request.url, headers: request.headers, body };
    await reply(response);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  base = `http://127.0.0.1:${server.address().port}/app/mfa/`;
});
after(() => { server.closeAllConnections(); server.close(); });

const answers = (status, body, headers = {}) => {
  reply = (response) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
};

const requests = [
  ["state", [], "GET", "state"],
  ["send", [{ kind: "email" }], "POST", "send"],
  ["verify", [{ kind: "totp", code: "012345" }], "POST", "verify"],
  ["stepUp", [], "POST", "step-up"],
  ["stepUp", [{ purpose: "step-up" }], "POST", "step-up"],
  ["cancel", [], "POST", "cancel"],
  ["cancel", [{ purpose: "manage" }], "POST", "cancel"],
  ["postpone", [], "POST", "later"],
  ["decline", [{ kind: "passkey" }], "POST", "decline"],
  ["prefer", [{ kind: "totp" }], "POST", "preference"],
  ["useImplied", [{ use: false }], "POST", "implied"],
  ["signOut", [], "POST", "sign-out"],
  ["unlock", [{ kind: "totp", code: "012345" }], "POST", "unlock"],
  ["beginPasswordless", [], "POST", "passwordless"],
  ["verifyPasswordless", [{ challenge: "c", code: "{}" }], "POST", "passwordless/verify"],
  ["enroll", [{ kind: "sms", number: "1", region: "NL" }], "POST", "enroll"],
  ["enrollChoices", [], "GET", "enroll"],
  ["countries", [], "GET", "countries"],
  ["questionSuggestions", [], "GET", "questions"],
  ["cancelEnrollment", [{ enrollment: "e" }], "POST", "enroll/cancel"],
  ["confirmLink", [{ token: "t" }], "POST", "confirm-link"],
  ["resend", [{ enrollment: "e" }], "POST", "enroll/resend"],
  ["mailElsewhere", [{ enrollment: "e" }], "POST", "enroll/elsewhere"],
  ["confirm", [{ enrollment: "e", code: "012345" }], "POST", "confirm"],
  ["changeAddress", [{ address: "a@b.example" }], "POST", "address"],
  ["confirmAddress", [{ enrollment: "e", code: "012345" }], "POST", "address/confirm"],
  ["factors", [], "GET", "factors"],
  ["rename", [{ id: "a/b", name: "n" }], "PATCH", "factors/a%2Fb", { name: "n" }],
  ["remove", [{ id: "a..", password: "p" }], "DELETE", "factors/a..", { password: "p" }],
  ["recoveryCodes", [], "POST", "recovery-codes"],
  ["recoveryCodesSaved", [{ factor: "f" }], "POST", "recovery-codes/saved"],
  ["devices", [], "GET", "devices"],
  ["history", [], "GET", "history"],
  ["forgetDevice", [{ id: "d?" }], "DELETE", "devices/d%3F", {}],
  ["forgetDevices", [], "DELETE", "devices", {}],
  ["sendRecoveryLink", [], "POST", "lost/link"],
  ["requestSupport", [{ message: "m" }], "POST", "lost/support"],
  ["openRecoveryLink", [{ token: "t" }], "POST", "setup"],
];

test("each method is one request with its body", async () => {
  const client = new Client({ base });
  for (const [name, args, method, path, body = args[0] ?? {}] of requests) {
    answers(200, { from: name });
    assert.deepEqual(await client[name](...args), { from: name });
    assert.deepEqual([got.method, got.headers.accept], [method, "application/json"], name);
    assert.equal(got.url, `/app/mfa/api/${path}`, name);
    if (method === "GET") {
      assert.equal(got.body, "");
      assert.equal(got.headers["content-type"], undefined);
    } else {
      assert.deepEqual(JSON.parse(got.body), body, name);
      assert.equal(got.headers["content-type"], "application/json", name);
    }
  }
});

test("each method has a test", () => {
  const methods = Object.getOwnPropertyNames(Client.prototype).filter((n) => n !== "constructor");
  assert.deepEqual(new Set(requests.map(([name]) => name)), new Set(methods));
});

test("an ID stays below its path", async () => {
  const client = new Client({ base });
  got = undefined;
  for (const id of ["", ".", "..", undefined, null, 7]) {
    for (const name of ["rename", "remove", "forgetDevice"]) {
      await assert.rejects(client[name]({ id }), TypeError);
    }
  }
  assert.equal(got, undefined);
});

test("the base may lack its slash, and fetch may be another", async () => {
  const seen = [];
  const fetch = async (...args) => { seen.push(args); return Response.json({}); };
  await new Client({ base: "/auth", fetch }).state();
  await new Client({ fetch, credentials: "include" }).send({ kind: "sms" });
  assert.deepEqual(seen.map(([url]) => url), ["/auth/api/state", "/mfa/api/send"]);
  assert.deepEqual(seen.map(([, init]) => init.credentials), ["same-origin", "include"]);
  for (const [, init] of seen) {
    assert.deepEqual([init.cache, init.redirect], ["no-store", "error"]);
  }
});

test("the JSON of a passkey is sent as text", async () => {
  answers(200, {});
  const code = { id: "k", response: { signature: "s" } };
  await new Client({ base }).verify({ kind: "passkey", code });
  assert.deepEqual(JSON.parse(got.body), { kind: "passkey", code: JSON.stringify(code) });
});

// The bodies are those of the API.
test("an error has what the API says", async () => {
  const client = new Client({ base });
  for (const [status, body, headers, want] of [
    [202, { error: "pending" }, {}, { code: "pending", status: 202 }],
    [401, { error: "incorrect", attempts_left: 4 }, {}, { code: "incorrect", attemptsLeft: 4, status: 401 }],
    [401, { error: "incorrect", attempts_left: 0 }, {}, { code: "incorrect", attemptsLeft: 0 }],
    [401, { error: "expired", reason: "response_expired" }, {}, { code: "expired", reason: "response_expired" }],
    [429, { error: "locked", retry_after: 180 }, { "Retry-After": "180" }, { code: "locked", retryAfter: 180, status: 429 }],
    [400, { error: "malformed", reason: "pin_too_short" }, {}, { code: "malformed", reason: "pin_too_short" }],
    [404, { error: "not_found" }, {}, { code: "not_found", status: 404 }],
    // What a proxy says.
    [503, "<!doctype html>down", { "Content-Type": "text/html", "Retry-After": "30" }, { code: "unavailable", retryAfter: 30, status: 503 }],
    [429, "", { "Retry-After": new Date(Date.now() + 60000).toUTCString() }, { code: "unavailable", status: 429 }],
    [502, "null", {}, { code: "unavailable" }],
    [500, "[]", { "Retry-After": "soon" }, { code: "unavailable", retryAfter: undefined }],
    [200, "<!doctype html>sign in", {}, { code: "unavailable", status: 200 }],
    [200, "", {}, { code: "unavailable" }],
    [400, { error: 7 }, {}, { code: "unavailable" }],
  ]) {
    answers(status, body, headers);
    await assert.rejects(client.verify({ kind: "totp", code: "287549" }), (err) => {
      assert.ok(err instanceof ApiError && err instanceof Error);
      for (const [name, value] of Object.entries(want)) assert.equal(err[name], value, `${status} ${name}`);
      assert.doesNotMatch(JSON.stringify({ ...err }) + err.stack, /287549/);
      return true;
    });
  }
});

test("a date in Retry-After is seconds from now", async () => {
  answers(429, {}, { "Retry-After": new Date(Date.now() + 60000).toUTCString() });
  const err = await new Client({ base }).state().catch((e) => e);
  assert.ok(err.retryAfter > 50 && err.retryAfter <= 60, String(err.retryAfter));
});

test("no redirect is followed, which would send the code elsewhere", async (t) => {
  let followed = false;
  const other = createServer((_, response) => { followed = true; response.end("{}"); });
  t.after(() => { other.closeAllConnections(); other.close(); });
  await new Promise((listening) => other.listen(0, "127.0.0.1", listening));
  for (const status of [302, 307, 308]) {
    answers(status, {}, { Location: `http://127.0.0.1:${other.address().port}/` });
    await assert.rejects(new Client({ base }).verify({ kind: "totp", code: "287549" }), { code: "network", status: 0 });
  }
  assert.equal(followed, false);
});

test("a server that is not there is one error", async () => {
  const client = new Client({ base: "http://127.0.0.1:1/mfa/" });
  await assert.rejects(client.state(), (err) => {
    assert.ok(err instanceof ApiError);
    assert.deepEqual([err.code, err.status, err.cause instanceof TypeError], ["network", 0, true]);
    return true;
  });
  reply = (response) => response.destroy();
  await assert.rejects(new Client({ base }).state(), { code: "network" });
});

test("an aborted request rejects with the reason of its signal", async () => {
  const controller = new AbortController();
  const reason = new Error("the user left");
  reply = () => controller.abort(reason);
  for (const [name, args] of requests) {
    const takes = Client.prototype[name].length === 2 && args.length === 0 ? [{}] : args;
    await assert.rejects(new Client({ base })[name](...takes, { signal: controller.signal }),
      (err) => err === reason, name);
  }
});

test("nothing is logged or kept", async (t) => {
  const written = [];
  for (const stream of [process.stdout, process.stderr]) {
    t.mock.method(stream, "write", (text) => { written.push(String(text)); return true; });
  }
  answers(401, { error: "incorrect" });
  const client = new Client({ base });
  await client.verify({ kind: "totp", code: "287549" }).catch(() => {});
  t.mock.restoreAll();
  assert.deepEqual(written.filter((w) => w.includes("287549")), []);
  assert.deepEqual(Object.keys(client), []);
});
