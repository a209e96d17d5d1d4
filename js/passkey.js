// Passkeys: the WebAuthn ceremonies over the JSON that the server sends and takes. Nothing here
// sends, logs or stores anything.

// PasskeyError is the one error of this module. Its code says what happened; cause is what the
// browser threw.
export class PasskeyError extends Error {
  constructor(code, message, cause) {
    super(message, { cause });
    this.name = "PasskeyError";
    this.code = code;
  }
}

// supported says whether the browser has passkeys on this page.
export function supported() {
  return unusable() === null;
}

// conditionalSupported says whether the browser offers passkeys in the list under a field with
// autocomplete="username webauthn".
export async function conditionalSupported() {
  if (!supported() || !PublicKeyCredential.isConditionalMediationAvailable) return false;
  try {
    return await PublicKeyCredential.isConditionalMediationAvailable();
  } catch {
    return false;
  }
}

// capabilities returns what the browser says it can do, by the names of WebAuthn Level 3, such as
// conditionalCreate. A browser that cannot say has {}: what is missing is not known.
export async function capabilities() {
  if (!supported() || !PublicKeyCredential.getClientCapabilities) return {};
  try {
    return { ...await PublicKeyCredential.getClientCapabilities() };
  } catch {
    return {};
  }
}

// create has the browser create a passkey, and returns it as the JSON that the server takes.
// options is the server's data: {publicKey: …}. With the mediation "conditional" the browser
// prompts for nothing, and rejects unless it wants to.
export function create(options, { signal } = {}) {
  const { mediation } = options;
  return ceremony("create", options, mediation ? { signal, mediation } : { signal });
}

// get has the browser sign with a passkey, and returns the JSON that the server takes.
export function get(options, { signal } = {}) {
  return ceremony("get", options, { signal });
}

// conditionalGet offers passkeys in the list under a field, and waits until the user takes one.
// Abort it before another ceremony: a browser has one at a time.
export function conditionalGet(options, { signal } = {}) {
  return ceremony("get", options, { signal, mediation: "conditional" });
}

// forget has the browser forget a passkey that the server does not know any more: what the
// response to the removal of a passkey has as data. A browser that cannot goes on offering it.
export async function forget({ rpId, credentialId }) {
  try {
    await PublicKeyCredential.signalUnknownCredential({ rpId, credentialId });
  } catch { /* The browser cannot. */ }
}

// update has the browser keep a user's passkeys as the server has them: it hides those that the
// server does not accept, and shows the present name. passkeys is what the responses to verify,
// verifyPasswordless, factors and remove have. A browser that cannot does nothing.
export async function update({ rpId, userId, credentialIds, name, displayName }) {
  const signals = {
    signalAllAcceptedCredentials: { rpId, userId, allAcceptedCredentialIds: credentialIds },
    signalCurrentUserDetails: { rpId, userId, name, displayName },
  };
  for (const [signal, value] of Object.entries(signals)) {
    try {
      await PublicKeyCredential[signal](value);
    } catch { /* The browser cannot. */ }
  }
}

async function ceremony(name, options, request) {
  const problem = unusable();
  if (problem) throw problem;
  const json = options.publicKey;
  const begun = performance.now();
  let credential;
  try {
    const publicKey = name === "create" ? creationOptions(json) : requestOptions(json);
    credential = await navigator.credentials[name]({ ...request, publicKey });
  } catch (err) {
    throw mapped(err, request.signal, json.timeout, performance.now() - begun);
  }
  if (!credential) throw new PasskeyError("cancelled", "no passkey was chosen");
  return toJSON(credential);
}

// unusable returns why there are no passkeys on this page, or null.
function unusable() {
  if (globalThis.isSecureContext === false) {
    return new PasskeyError("insecure_context", "passkeys need https, or localhost");
  }
  if (!globalThis.PublicKeyCredential || !globalThis.navigator?.credentials) {
    return new PasskeyError("not_supported", "this browser has no passkeys");
  }
  return null;
}

const codes = {
  AbortError: "cancelled",
  ConstraintError: "not_supported", // no authenticator here can verify its user, or keep a passkey
  InvalidStateError: "already_registered",
  NotAllowedError: "cancelled",
  NotSupportedError: "not_supported",
  SecurityError: "insecure_context", // the domain of the page is not that of the passkeys
  TimeoutError: "timeout", // of AbortSignal.timeout
};

// mapped returns the error for what the browser threw. Browsers do not tell a user who cancels
// from time that has run out; the time does.
function mapped(err, signal, timeout, elapsed) {
  if (signal?.aborted && signal.reason?.name === "TimeoutError") {
    err = signal.reason;
  }
  let code = Object.hasOwn(codes, err?.name) ? codes[err.name] : "unavailable";
  if (err?.name === "NotAllowedError" && timeout > 0 && elapsed >= timeout) code = "timeout";
  return new PasskeyError(code, err?.message || String(err), err);
}

function creationOptions(json) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) {
    return PublicKeyCredential.parseCreationOptionsFromJSON(json);
  }
  return {
    ...json,
    challenge: fromBase64url(json.challenge),
    user: { ...json.user, id: fromBase64url(json.user.id) },
    excludeCredentials: descriptors(json.excludeCredentials),
  };
}

function requestOptions(json) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) {
    return PublicKeyCredential.parseRequestOptionsFromJSON(json);
  }
  return {
    ...json,
    challenge: fromBase64url(json.challenge),
    allowCredentials: descriptors(json.allowCredentials),
  };
}

function descriptors(list) {
  return (list ?? []).map((c) => ({ ...c, id: fromBase64url(c.id) }));
}

// toJSON returns a credential as JSON. Password managers that stand in for the browser may have a
// toJSON that throws, or none.
function toJSON(credential) {
  try {
    if (typeof credential.toJSON === "function") return credential.toJSON();
  } catch { /* by hand */ }
  const { response } = credential;
  const out = { clientDataJSON: toBase64url(response.clientDataJSON) };
  if (response.attestationObject) {
    out.attestationObject = toBase64url(response.attestationObject);
    out.transports = response.getTransports?.() ?? [];
  } else {
    out.authenticatorData = toBase64url(response.authenticatorData);
    out.signature = toBase64url(response.signature);
    if (response.userHandle) out.userHandle = toBase64url(response.userHandle);
  }
  const { authenticatorAttachment } = credential;
  return {
    id: credential.id,
    rawId: credential.id,
    type: credential.type,
    ...(authenticatorAttachment ? { authenticatorAttachment } : {}),
    response: out,
    clientExtensionResults: {},
  };
}

// toBase64url encodes bytes without padding (RFC 4648 section 5).
export function toBase64url(bytes) {
  let text = "";
  for (const b of new Uint8Array(bytes)) text += String.fromCharCode(b);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

// fromBase64url decodes bytes, and throws a SyntaxError for anything else, padding included.
export function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) {
    throw new SyntaxError("not base64url");
  }
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}
