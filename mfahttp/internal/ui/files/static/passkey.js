// Passkeys: has the browser create one or sign with one, and hands its answer to the form. A
// sign-in without a password is answered here; everything else is posted like any form.
(() => {
  "use strict";

  // A passkey that was removed is forgotten by the browser, too, where it can be told.
  const forget = async (rpId, credentialId) => {
    try {
      await PublicKeyCredential.signalUnknownCredential({ rpId, credentialId });
    } catch { /* Browsers that cannot be told go on offering it. */ }
  };
  for (const gone of document.querySelectorAll("[data-passkey-gone]")) {
    const { rpId, credentialId } = JSON.parse(gone.dataset.passkeyGone);
    forget(rpId, credentialId);
  }

  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential || !navigator.credentials) return;
  const does = form.dataset.passkey; // "get", "create" or "open"
  const button = form.querySelector("[data-passkey-ask]");
  const says = form.querySelector("[data-passkey-says]");
  const say = (code) => {
    const text = form.querySelector(`[data-passkey-text="${CSS.escape(code)}"]`) || form.querySelector("[data-passkey-text=failed]");
    says.querySelector("span").textContent = text.textContent;
    says.hidden = false;
  };

  const bytes = (s) => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const base64 = (b) => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => (list || []).map((c) => ({ ...c, id: bytes(c.id) }));

  // ask returns what the person's device says to options, as JSON. Not all browsers that know
  // passkeys have toJSON, and it says more than is needed.
  const ask = async (o, more) => {
    const publicKey = { ...o, challenge: bytes(o.challenge) };
    let c, response;
    if (o.user) {
      publicKey.user = { ...o.user, id: bytes(o.user.id) };
      publicKey.excludeCredentials = ids(o.excludeCredentials);
      c = await navigator.credentials.create({ publicKey });
      response = {
        attestationObject: base64(c.response.attestationObject),
        transports: c.response.getTransports ? c.response.getTransports() : [],
      };
    } else {
      publicKey.allowCredentials = ids(o.allowCredentials);
      c = await navigator.credentials.get({ publicKey, ...more });
      response = { authenticatorData: base64(c.response.authenticatorData), signature: base64(c.response.signature) };
      if (c.response.userHandle) response.userHandle = base64(c.response.userHandle);
    }
    response.clientDataJSON = base64(c.response.clientDataJSON);
    return { id: c.id, rawId: c.id, type: c.type, response, clientExtensionResults: {} };
  };

  const post = (url, body) => fetch(url, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), cache: "no-store",
  });

  const problem = (err) => {
    if (err.name === "AbortError") return; // another request took its place
    say({ NotAllowedError: "cancelled", InvalidStateError: "have" }[err.name] || "failed");
  };

  // A sign-in without a password. With more, the browser shows it in the list under a field,
  // and waits for as long as the challenge is good.
  const open = async (more) => {
    const res = await post(form.dataset.options, {});
    if (!res.ok) throw new Error("no challenge");
    const { challenge, data, expires_in: left } = await res.json();
    const again = more && setTimeout(() => { offer(); }, Math.max(left - 15, 5) * 1000);
    let answer;
    try {
      answer = await ask(data.publicKey, more);
    } finally {
      clearTimeout(again);
    }
    const done = await post(form.dataset.verify, { challenge, code: JSON.stringify(answer) });
    if (done.ok) {
      location.assign(form.dataset.done);
      return;
    }
    const { error } = await done.json();
    if (error === "unknown_factor") forget(data.publicKey.rpId, answer.id);
    say(error);
  };
  let offers = false;
  let waiting = new AbortController();
  const offer = async () => {
    waiting.abort();
    waiting = new AbortController();
    const mine = waiting;
    try {
      await open({ mediation: "conditional", signal: mine.signal });
      if (!mine.signal.aborted) offer(); // refused: the next may be right
    } catch { /* Nothing was asked for, so nothing is said. */ }
  };

  const run = {
    open: async () => {
      waiting.abort();
      await open();
    },
    create: async () => finish(await ask(JSON.parse(form.dataset.options).publicKey)),
    get: async () => {
      const res = await post(form.dataset.options, { kind: form.elements.kind.value, purpose: form.elements.purpose.value });
      if (!res.ok) {
        location.reload(); // the page says why: locked, or over
        return;
      }
      const { data } = await res.json();
      finish(await ask(data.publicKey));
    },
  }[does];
  const finish = (answer) => {
    form.elements.code.value = JSON.stringify(answer);
    form.submit();
  };

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

  const field = document.querySelector("input[autocomplete~=webauthn]");
  if (does === "open" && field && PublicKeyCredential.isConditionalMediationAvailable) {
    PublicKeyCredential.isConditionalMediationAvailable().then((yes) => {
      offers = yes;
      if (yes) offer();
    }, () => {});
  }
})();
