// A client of the API with the types that openapi-typescript generates: it signs a user in,
// enrols an authenticator app, steps up, recovers, and changes factors.

import createClient from "openapi-fetch";

import type { components, paths } from "./api.js";
import { advance, appCode, base, Browser, mailedCode, mailedToken } from "./demo.js";

type Problem = components["schemas"]["Error"];

const browser = new Browser();
const api = createClient<paths>({ baseUrl: base + "/mfa", fetch: browser.fetch });

type Result<T> = { data?: T; error?: Problem; response: Response };

// ok returns the body of a response with status 200.
function ok<T>({ data, error, response }: Result<T>): T {
  if (data === undefined) throw new Error(`${response.url}: ${JSON.stringify(error)}`);
  return data;
}

// decided is ok for a route that responds with 202 while a user has not decided on another device.
function decided<T>(r: Result<T>): Exclude<T, Problem> {
  const data = ok(r);
  if (r.response.status === 202) throw new Error(`${r.response.url}: pending`);
  return data as Exclude<T, Problem>;
}

// refused expects an error code.
function refused(r: Result<unknown>, code: Problem["error"], reason?: string): Problem {
  if (r.error?.error !== code || r.error.reason !== reason) {
    throw new Error(`${r.response.url}: ${JSON.stringify(r.error ?? r.data)}, want ${code}`);
  }
  return r.error;
}

function equal<T>(got: T, want: T, what: string): void {
  if (got !== want) throw new Error(`${what}: ${String(got)}, want ${String(want)}`);
}

async function signInByMail(): Promise<void> {
  await browser.login();
  const state = ok(await api.GET("/api/state"));
  equal(state.next, "verify", "next");
  const option = state.options.find((o) => o.default);
  if (!option?.sends) throw new Error("the mail of record is the default");
  const sent = ok(await api.POST("/api/send", { body: { kind: option.kind } }));
  if (!sent.hint.endsWith("@acme.example")) throw new Error("the mail goes elsewhere");
  const wrong = { body: { kind: option.kind, code: "000000" } };
  equal(refused(await api.POST("/api/verify", wrong), "incorrect").attempts_left, 4, "attempts");
  refused(await api.POST("/api/verify", { body: { kind: option.kind, code: "x" } }), "malformed",
    "code_form");
  const code = await mailedCode();
  const verified = decided(await api.POST("/api/verify", { body: { kind: option.kind, code } }));
  equal(verified.next, "done", "next");
}

// enrollApp enrols an authenticator app, and returns its key and its ID.
async function enrollApp(name: string): Promise<[secret: string, id: string]> {
  const { choices } = ok(await api.GET("/api/enroll"));
  if (!choices.some((c) => c.kind === "totp")) throw new Error("no authenticator app to choose");
  const begun = ok(await api.POST("/api/enroll", { body: { kind: "totp" } }));
  const { enrollment, secret, qr_svg } = begun;
  if (!enrollment || !secret || !qr_svg?.startsWith("<svg")) throw new Error("nothing to scan");
  const body = { enrollment, code: await appCode(secret), name };
  const { factor } = decided(await api.POST("/api/confirm", { body }));
  equal(factor.name, name, "name");
  return [secret, factor.id];
}

// beginPasskey begins an enrolment that only a browser can confirm, and cancels it.
async function beginPasskey(): Promise<void> {
  const begun = ok(await api.POST("/api/enroll", { body: { kind: "passkey" } }));
  const { publicKey } = begun.data as { publicKey: { rp: { id: string } } };
  equal(publicKey.rp.id, "localhost", "relying party");
  const enrollment = begun.enrollment ?? "";
  refused(await api.POST("/api/confirm", { body: { enrollment, code: "x" } }), "malformed",
    "passkey_form");
  ok(await api.POST("/api/enroll/cancel", { body: { enrollment } }));
  refused(await api.POST("/api/enroll/cancel", { body: { enrollment } }), "expired");
}

async function signInByApp(secret: string): Promise<void> {
  await advance(31); // a code is accepted once
  await browser.login();
  const body = { kind: "totp", code: await appCode(secret) };
  equal(decided(await api.POST("/api/verify", { body })).next, "done", "next");
}

async function stepUp(secret: string): Promise<void> {
  await advance(31);
  equal(ok(await api.POST("/api/step-up", { body: { purpose: "manage" } })).next, "verify", "next");
  const body = { kind: "totp", purpose: "manage" as const, code: await appCode(secret) };
  equal(decided(await api.POST("/api/verify", { body })).purpose, "manage", "purpose");
}

// recover opens a mailed link in another browser, responds with a recovery code and enrols a
// replacement.
async function recover(code: string): Promise<[secret: string, id: string]> {
  await browser.login();
  equal(ok(await api.GET("/api/state")).lost_link, true, "lost_link");
  ok(await api.POST("/api/lost/link"));
  ok(await api.POST("/api/sign-out"));
  refused(await api.GET("/api/state"), "unauthorized");
  const begun = ok(await api.POST("/api/setup", { body: { token: await mailedToken() } }));
  equal(begun.purpose, "replace", "purpose");
  const body = { kind: "recovery", code, purpose: "replace" as const };
  equal(decided(await api.POST("/api/verify", { body })).next, "enroll", "next");
  return enrollApp("New phone");
}

async function run(): Promise<void> {
  await signInByMail();
  const [secret, id] = await enrollApp("Phone");
  const { codes } = ok(await api.POST("/api/recovery-codes"));
  await beginPasskey();
  ok(await api.POST("/api/sign-out"));

  await signInByApp(secret);
  const names = { params: { query: { locale: "nl" } } };
  const { countries, locale } = ok(await api.GET("/api/countries", names));
  equal(locale, "nl", "locale");
  equal(countries.find((c) => c.region === "NL")?.name, "Nederland", "name");
  ok(await api.GET("/api/questions"));

  await advance(3600);
  const renamed = { params: { path: { id } }, body: { name: "Old phone" } };
  refused(await api.PATCH("/api/factors/{id}", renamed), "step_up");
  await stepUp(secret);
  ok(await api.PATCH("/api/factors/{id}", renamed));

  // A link verifies an address without a session.
  const mail = ok(await api.POST("/api/enroll", { body: { kind: "email" } }));
  equal(mail.kind, "email", "kind");
  ok(await api.POST("/api/sign-out"));
  ok(await api.POST("/api/confirm-link", { body: { token: await mailedToken() } }));

  const [replacement, held] = await recover(codes[0] ?? "");
  await signInByApp(replacement);
  refused(await api.DELETE("/api/factors/{id}", { params: { path: { id } }, body: {} }), "on_hold");
  ok(await api.POST("/api/sign-out"));
  await signInByApp(secret); // the old app cancels the recovery
  ok(await api.DELETE("/api/factors/{id}", { params: { path: { id: held } }, body: {} }));
  const { factors, recovery_left } = ok(await api.GET("/api/factors"));
  equal(factors.find((f) => f.kind === "totp")?.name, "Old phone", "name");
  equal(recovery_left, codes.length - 1, "recovery codes");
  ok(await api.POST("/api/sign-out"));
  console.log("signed in, enrolled, stepped up, recovered");
}

await run();
