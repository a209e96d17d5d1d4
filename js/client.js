// A client of the JSON API of mfahttp. Each method is one request, and returns the response as the
// API describes it in openapi.json. The client logs and stores nothing.

// ApiError is the one error of this module, but for a request that its caller aborts: that one
// rejects with the reason of the signal, as fetch does.
//
//   code          a stable code, such as "incorrect" or "locked"; "network" if there was no
//                 response, and "unavailable" if it was not one of the API
//   reason        what is wrong with a malformed input, such as "pin_too_short", or undefined
//   attemptsLeft  attempts remaining before a lock, or undefined
//   retryAfter    seconds to wait, or undefined
//   status        the status of the response, 0 without one
export class ApiError extends Error {
  constructor(code, { reason, attemptsLeft, retryAfter, status = 0, cause } = {}) {
    super(`the second factor's API: ${code}${reason ? ` (${reason})` : ""}`, { cause });
    this.name = "ApiError";
    this.code = code;
    this.reason = reason;
    this.attemptsLeft = attemptsLeft;
    this.retryAfter = retryAfter;
    this.status = status;
  }
}

export class Client {
  #base;
  #fetch;
  #credentials;

  // base is the URL at which the server has the pages, with or without the slash at its end.
  // credentials is "include" for a base on another origin, whose server must permit that.
  constructor({ base = "/mfa/", fetch, credentials = "same-origin" } = {}) {
    this.#base = base.endsWith("/") ? base : base + "/";
    this.#fetch = fetch;
    this.#credentials = credentials;
  }

  // state returns what is needed now: next is "verify", "enroll" or "done".
  state(options) {
    return this.#get("state", options);
  }

  // send sends a code, or begins the use of a passkey, whose options are in data.
  send(request, options) {
    return this.#post("send", request, options);
  }

  // verify responds. code is text, or what passkey.get returned.
  verify(request, options) {
    return this.#post("verify", withCode(request), options);
  }

  // stepUp begins a fresh verification of a user who is signed in.
  stepUp(request, options) {
    return this.#post("step-up", request, options);
  }

  // cancel cancels a challenge: a sign-in, a step-up, or a recovery.
  cancel(request, options) {
    return this.#post("cancel", request, options);
  }

  // postpone completes a sign-in without the enrolment that it asks for, if the state has later.
  postpone(options) {
    return this.#post("later", {}, options);
  }

  // decline records that the user does not want to enrol a kind that was offered.
  decline(request, options) {
    return this.#post("decline", request, options);
  }

  // signOut ends the session.
  signOut(options) {
    return this.#post("sign-out", {}, options);
  }

  // unlock responds with a kind that was disabled.
  unlock(request, options) {
    return this.#post("unlock", withCode(request), options);
  }

  // beginPasswordless begins a sign-in by passkey alone.
  beginPasswordless(options) {
    return this.#post("passwordless", {}, options);
  }

  // verifyPasswordless completes it. code is what passkey.get or passkey.conditionalGet returned.
  verifyPasswordless(request, options) {
    return this.#post("passwordless/verify", withCode(request), options);
  }

  // enrollChoices lists what may be enrolled.
  enrollChoices(options) {
    return this.#get("enroll", options);
  }

  // countries lists the countries of phone numbers, in the user's language.
  countries(options) {
    return this.#get("countries", options);
  }

  // questionSuggestions lists security questions to choose from, in the user's language.
  questionSuggestions(options) {
    return this.#get("questions", options);
  }

  // enroll begins to enrol a factor. Nothing changes before confirm.
  enroll(request, options) {
    return this.#post("enroll", request, options);
  }

  // resend sends the code of an enrolment again.
  resend(request, options) {
    return this.#post("enroll/resend", request, options);
  }

  // mailElsewhere mails the user a link to the security settings, for enrolling on another device.
  mailElsewhere(request, options) {
    return this.#post("enroll/elsewhere", request, options);
  }

  // cancelEnrollment cancels an enrolment.
  cancelEnrollment(request, options) {
    return this.#post("enroll/cancel", request, options);
  }

  // confirm completes an enrolment. code is text, or what passkey.create returned.
  confirm(request, options) {
    return this.#post("confirm", withCode(request), options);
  }

  // changeAddress sends a code to a new address of the account. Nothing changes before
  // confirmAddress.
  changeAddress(request, options) {
    return this.#post("address", request, options);
  }

  // confirmAddress changes the address by that code.
  confirmAddress(request, options) {
    return this.#post("address/confirm", request, options);
  }

  // confirmLink verifies an address by the token of a mailed link.
  confirmLink(request, options) {
    return this.#post("confirm-link", request, options);
  }

  // factors lists the user's factors.
  factors(options) {
    return this.#get("factors", options);
  }

  // rename renames a factor.
  async rename({ id, ...request }, options) {
    return this.#request("PATCH", `factors/${segment(id)}`, request, options);
  }

  // remove removes a factor. Give the data of a passkey to passkey.forget.
  async remove({ id, ...request }, options) {
    return this.#request("DELETE", `factors/${segment(id)}`, request, options);
  }

  // recoveryCodes replaces all recovery codes, and returns the new ones this once.
  recoveryCodes(request, options) {
    return this.#post("recovery-codes", request, options);
  }

  // recoveryCodesSaved records that the user has saved the codes of a set.
  recoveryCodesSaved(request, options) {
    return this.#post("recovery-codes/saved", request, options);
  }

  // devices lists the remembered devices.
  devices(options) {
    return this.#get("devices", options);
  }

  // history lists what happened to the account, the latest first.
  history(options) {
    return this.#get("history", options);
  }

  // prefer sets the kind that the user is asked for first; "" for none.
  prefer(request, options) {
    return this.#post("preference", request, options);
  }

  // useImplied turns the address of the account on or off.
  useImplied(request, options) {
    return this.#post("implied", request, options);
  }

  // forgetDevice forgets one remembered device.
  async forgetDevice({ id }, options) {
    return this.#request("DELETE", `devices/${segment(id)}`, {}, options);
  }

  // forgetDevices forgets all remembered devices.
  forgetDevices(options) {
    return this.#request("DELETE", "devices", {}, options);
  }

  // sendRecoveryLink mails a link to set up a new device.
  sendRecoveryLink(options) {
    return this.#post("lost/link", {}, options);
  }

  // requestSupport asks the administrators for help.
  requestSupport(request, options) {
    return this.#post("lost/support", request, options);
  }

  // openRecoveryLink opens such a link, by its token.
  openRecoveryLink(request, options) {
    return this.#post("setup", request, options);
  }

  #get(path, options) {
    return this.#request("GET", path, undefined, options);
  }

  #post(path, body, options) {
    return this.#request("POST", path, body ?? {}, options);
  }

  async #request(method, path, body, { signal } = {}) {
    const headers = { Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const send = this.#fetch ?? globalThis.fetch;
    let response;
    let text;
    try {
      response = await send(`${this.#base}api/${path}`, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: this.#credentials,
        cache: "no-store",
        redirect: "error", // a code goes to the API alone
        signal,
      });
      text = await response.text();
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      throw new ApiError("network", { cause });
    }
    const json = parsed(text);
    // 202 is "pending": the user has not decided yet on another device.
    if (response.ok && json && response.status !== 202) return json;
    throw problem(response, json);
  }
}

// segment returns an ID as a part of a URL, which stays below the path before it.
function segment(id) {
  if (typeof id !== "string" || /^\.{0,2}$/.test(id)) throw new TypeError("there is no such ID");
  return encodeURIComponent(id);
}

// withCode makes text of the JSON of a passkey.
function withCode(request) {
  if (typeof request.code === "string") return request;
  return { ...request, code: JSON.stringify(request.code) };
}

// parsed returns a JSON object, or undefined for a text that is none, such as a proxy's page.
function parsed(text) {
  try {
    const json = JSON.parse(text);
    return json && typeof json === "object" && !Array.isArray(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function problem(response, json = {}) {
  return new ApiError(typeof json.error === "string" ? json.error : "unavailable", {
    reason: json.reason,
    attemptsLeft: json.attempts_left,
    retryAfter: json.retry_after ?? headerSeconds(response.headers.get("Retry-After")),
    status: response.status,
  });
}

// headerSeconds reads a Retry-After header, which a proxy may have set: seconds, or a date.
function headerSeconds(value) {
  if (!value) return undefined;
  if (/^\d+$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(1, Math.ceil((at - Date.now()) / 1000));
}
