// Signs a user in by password, and then by code or passkey; or by passkey alone.
import { ApiError, Client } from "./js/client.js";
import { codeField, countdown, formatTime } from "./js/codefield.js";
import * as passkey from "./js/passkey.js";

export const client = new Client();
export const byId = (id) => document.getElementById(id);
const code = codeField(byId("code"));
let stop = () => {};

// on runs a function for an event, and shows what went wrong.
export function on(id, event, run) {
  byId(id).addEventListener(event, async (e) => {
    e.preventDefault();
    stop();
    byId("problem").textContent = "";
    try {
      await run();
    } catch (err) {
      explain(err);
    }
  });
}

export function show(id) {
  for (const part of document.querySelectorAll("main > section")) part.hidden = part.id !== id;
}

// next shows what the sign-in or the step-up needs now.
export async function next() {
  try {
    ask(await client.state());
  } catch (err) {
    if (err.code !== "unauthorized") throw err;
    show("login"); // no password yet
  }
}

// ask shows what a challenge needs: a code, a passkey, or the page of a user who is signed in, or
// who has to enrol a factor first.
export function ask({ next: needed, options }) {
  if (needed !== "verify") {
    show("settings");
    document.dispatchEvent(new Event("arrived"));
    return;
  }
  const has = (kind) => options.some((o) => o.kind === kind);
  byId("verify-form").hidden = !has("totp");
  byId("verify-passkey").hidden = !has("passkey");
  show("verify");
}

// explain shows what went wrong.
export function explain(err) {
  const problem = byId("problem");
  const texts = {
    password: "Wrong address or password.",
    incorrect: "Wrong code.",
    unknown_factor: "That passkey was removed from your account.",
    cancelled: "You cancelled.",
    timeout: "That took too long.",
    already_registered: "This device has a passkey already.",
  };
  problem.textContent = texts[err.code] ?? "That did not work. Try again.";
  if (err instanceof ApiError && err.attemptsLeft > 0) {
    problem.textContent += ` Attempts left: ${err.attemptsLeft}.`;
  }
  if (err instanceof ApiError && err.retryAfter) {
    stop = countdown(err.retryAfter, {
      tick: (seconds) => { problem.textContent = `Try again in ${formatTime(seconds)}.`; },
      end: () => { problem.textContent = "You can try again now."; },
    });
  }
}

on("login-form", "submit", async () => {
  const body = JSON.stringify(Object.fromEntries(new FormData(byId("login-form"))));
  const response = await fetch("api/login", {
    method: "POST", headers: { "Content-Type": "application/json" }, body,
  });
  if (!response.ok) throw new ApiError("password");
  byId("login-form").reset();
  await next();
});

on("login-passkey", "click", async () => {
  const { challenge, data } = await client.beginPasswordless();
  await client.verifyPasswordless({ challenge, code: await passkey.get(data) });
  await next();
});

on("verify-form", "submit", async () => {
  try {
    await client.verify({ kind: "totp", code: code.code });
  } finally {
    code.clear();
  }
  await next();
});

on("verify-passkey", "click", async () => {
  const { data } = await client.send({ kind: "passkey" });
  await client.verify({ kind: "passkey", code: await passkey.get(data) });
  await next();
});

next().catch(explain);
