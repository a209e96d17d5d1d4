// Passkeys on the pages: has the browser create one or sign with one, and hands its response to
// the form. A sign-in without a password is done here; everything else is posted like any form.
import { Client } from "./js/client.js";
import * as passkey from "./js/passkey.js";

// A passkey that was removed is forgotten by the browser, too.
for (const gone of document.querySelectorAll("[data-passkey-gone]")) {
  passkey.forget(JSON.parse(gone.dataset.passkeyGone));
}

// updated hands the user's passkeys to the browser. A browser that takes long keeps no page from
// going on.
const updated = (passkeys) => Promise.race([
  passkey.update(passkeys), new Promise((done) => setTimeout(done, 1000)),
]);

for (const all of document.querySelectorAll("[data-passkeys]")) {
  updated(JSON.parse(all.dataset.passkeys)).then(() => {
    if (all.dataset.then) location.replace(all.dataset.then);
  });
}

// An offer is for a browser that can create passkeys. One that keeps the password which the user
// has just typed may create the first one without a prompt; then nothing has to be offered.
const offered = document.querySelector("[data-passkey-offer]");
if (offered) {
  const { passkeyOffer: which, base, then } = offered.dataset;
  const can = await passkey.capabilities();
  const none = can.passkeyPlatformAuthenticator === false &&
    (which === "here" || can.hybridTransport === false);
  if (!passkey.supported() || none) {
    location.replace(then);
  } else if (which === "first" && can.conditionalCreate) {
    const client = new Client({ base });
    try {
      const { enrollment, data } = await client.enroll({ kind: "passkey", conditional: "yes" });
      const made = await passkey.create(data, { signal: AbortSignal.timeout(30000) });
      const { recovery_due: due } = await client.confirm({ enrollment, code: made });
      location.replace(due ? `${base}recovery-codes?${new URLSearchParams({ return: then })}` : then);
    } catch { /* The browser did not want to: the user decides. */ }
  }
}

const form = document.querySelector("form[data-passkey]");
if (form && passkey.supported()) {
  const does = form.dataset.passkey; // "get", "create" or "open"
  const client = new Client({ base: form.dataset.base });
  const button = form.querySelector("[data-passkey-ask]");
  const says = form.querySelector("[data-passkey-says]");
  const say = (code) => {
    const text = form.querySelector(`[data-passkey-text="${CSS.escape(code)}"]`) ||
      form.querySelector("[data-passkey-text=failed]");
    says.querySelector("span").textContent = text.textContent;
    says.hidden = false;
  };
  const texts = { cancelled: "cancelled", timeout: "cancelled", already_registered: "have" };
  const problem = (err) => say(err instanceof passkey.PasskeyError ? texts[err.code] : "failed");

  // A sign-in without a password. Offered in the list under a field, it waits for as long as the
  // challenge is valid, and then takes another.
  const open = async (ask, signal) => {
    const { challenge, data, expires_in: valid } = await client.beginPasswordless({ signal });
    const again = signal && setTimeout(offer, Math.max(valid - 15, 5) * 1000);
    let response;
    try {
      response = await ask(data, { signal });
    } finally {
      clearTimeout(again);
    }
    let done;
    try {
      done = await client.verifyPasswordless({ challenge, code: response });
    } catch (err) {
      if (err.code === "unknown_factor") {
        passkey.forget({ rpId: data.publicKey.rpId, credentialId: response.id });
      }
      say(err.code);
      return;
    }
    if (done.passkeys) await updated(done.passkeys);
    const query = new URLSearchParams({ passkey: done.offer_passkey, return: form.dataset.done });
    location.assign(done.offer_passkey ? `${form.dataset.base}offer?${query}` : form.dataset.done);
  };
  let offers = false;
  let waiting = new AbortController();
  const offer = async () => {
    waiting.abort();
    waiting = new AbortController();
    const { signal } = waiting;
    try {
      await open(passkey.conditionalGet, signal);
      if (!signal.aborted) offer(); // refused: the next may be correct
    } catch { /* Nothing was asked for, so nothing is said. */ }
  };

  const finish = (response) => {
    form.elements.code.value = JSON.stringify(response);
    form.submit();
  };
  const run = {
    open: async () => {
      waiting.abort();
      await open(passkey.get);
    },
    create: async () => finish(await passkey.create(JSON.parse(form.dataset.options))),
    get: async () => {
      const { kind, purpose } = form.elements;
      let sent;
      try {
        sent = await client.send({ kind: kind.value, purpose: purpose.value });
      } catch (err) {
        if (!err.status) throw err;
        location.reload(); // the page says why: locked, or expired
        return;
      }
      finish(await passkey.get(sent.data));
    },
  }[does];

  let busy = false;
  const start = async () => {
    if (busy) return;
    busy = true;
    button.setAttribute("aria-disabled", "true");
    says.hidden = true;
    try {
      await run();
    } catch (err) {
      problem(err);
    }
    busy = false;
    button.removeAttribute("aria-disabled");
    if (offers) offer();
  };
  for (const missing of form.querySelectorAll("[data-passkey-missing]")) missing.hidden = true;
  form.hidden = false;
  button.hidden = false;
  button.addEventListener("click", start);
  form.addEventListener("submit", (event) => { // the Enter key in a field
    event.preventDefault();
    start();
  });
  if (does === "get") button.focus();

  if (does === "open" && document.querySelector("input[autocomplete~=webauthn]")) {
    offers = await passkey.conditionalSupported();
    if (offers) offer();
  }
}
