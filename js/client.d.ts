/// <reference lib="dom" />
import type { Assertion, Registration, RequestOptions } from "./passkey.js";

export interface ClientInit {
  /** The URL at which the server has the pages. Defaults to "/mfa/". */
  base?: string | undefined;
  /** Takes the place of the global fetch. */
  fetch?: typeof fetch | undefined;
  /** Defaults to "same-origin". */
  credentials?: RequestCredentials | undefined;
}

export interface CallInit {
  signal?: AbortSignal | undefined;
}

/** The one error of this module, but for a request that its caller aborts. */
export class ApiError extends Error {
  constructor(code: string, init?: {
    reason?: string | undefined;
    attemptsLeft?: number | undefined;
    retryAfter?: number | undefined;
    status?: number | undefined;
    cause?: unknown;
  });
  /** A code of the API; "network" without a response, "unavailable" without one of the API. */
  readonly code: string;
  /** What is wrong with a malformed input, such as "pin_too_short". */
  readonly reason: string | undefined;
  /** Attempts remaining before a lock. */
  readonly attemptsLeft: number | undefined;
  /** Seconds to wait. */
  readonly retryAfter: number | undefined;
  /** The status of the response, 0 without one. */
  readonly status: number;
}

export type Purpose = "sign-in" | "step-up" | "manage" | "replace";

export interface Expiring {
  /** RFC 3339. */
  expires?: string;
  /** Seconds. */
  expires_in?: number;
}

export interface Option {
  kind: string;
  factor?: string;
  name?: string;
  hint?: string;
  default: boolean;
  sends: boolean;
  recovery: boolean;
  stopped?: boolean;
  asks?: string[];
  provable?: boolean;
}

export interface Challenge extends Expiring {
  next: "done" | "verify" | "enroll";
  purpose?: Purpose;
  options: Option[];
  kinds?: string[];
}

export interface State extends Challenge {
  signed_in: boolean;
  locked: boolean;
  retry_after?: number;
}

export interface Delivery extends Expiring {
  kind: string;
  hint: string;
  /** Depends on the kind; for "passkey" what passkey.get takes. */
  data?: any;
}

export interface Verification {
  next: "done" | "enroll";
  purpose: Purpose;
  kind: string;
  recovery_left?: number;
  kinds?: string[];
}

export interface PasswordlessChallenge extends Expiring {
  challenge: string;
  data: RequestOptions;
}

export interface Factor {
  id: string;
  kind: string;
  name: string;
  hint: string;
  implicit: boolean;
  stopped: boolean;
  created?: string;
  last_used?: string;
  codes_left?: number;
  held_until?: string;
  /** Depends on the kind. */
  data?: any;
}

export interface Factors {
  factors: Factor[];
  kinds: string[];
  recovery_left: number;
  locked: boolean;
  retry_after?: number;
}

export interface Enrollment extends Expiring {
  kind: string;
  enrollment?: string;
  secret?: string;
  uri?: string;
  qr_svg?: string;
  hint?: string;
  codes?: string[];
  /** Depends on the kind; for "passkey" what passkey.create takes. */
  data?: any;
  factor?: Factor;
}

export interface Confirmation {
  factor: Factor;
  signed_in: boolean;
}

export interface Device {
  id: string;
  name: string;
  created: string;
  last_used?: string;
  expires: string;
}

export interface EnrollRequest {
  kind: string;
  name?: string | undefined;
  password?: string | undefined;
  /** Parameters of the kind, such as address, number and region, or pin. */
  [parameter: string]: string | undefined;
}

export interface VerifyRequest {
  kind: string;
  code: string | Assertion;
  purpose?: Purpose | undefined;
  /** A name for this device, if it is to be remembered. */
  remember?: string | undefined;
}

/** A client of the JSON API. It logs and stores nothing. */
export class Client {
  constructor(init?: ClientInit);
  state(init?: CallInit): Promise<State>;
  send(
    request: { kind: string; factor?: string | undefined; purpose?: Purpose | undefined },
    init?: CallInit,
  ): Promise<Delivery>;
  verify(request: VerifyRequest, init?: CallInit): Promise<Verification>;
  stepUp(
    request?: { purpose?: "manage" | "step-up" | undefined },
    init?: CallInit,
  ): Promise<Challenge>;
  unlock(
    request: { kind: string; code: string | Assertion; purpose?: Purpose | undefined },
    init?: CallInit,
  ): Promise<{ kind: string; unlocked: boolean; answers_left: number }>;
  beginPasswordless(init?: CallInit): Promise<PasswordlessChallenge>;
  verifyPasswordless(
    request: { challenge: string; code: string | Assertion },
    init?: CallInit,
  ): Promise<Verification>;
  enroll(request: EnrollRequest, init?: CallInit): Promise<Enrollment>;
  resend(request: { enrollment: string }, init?: CallInit): Promise<Delivery>;
  confirm(
    request: { enrollment: string; code: string | Registration },
    init?: CallInit,
  ): Promise<Confirmation>;
  factors(init?: CallInit): Promise<Factors>;
  rename(
    request: { id: string; name: string },
    init?: CallInit,
  ): Promise<{ id: string; name: string }>;
  remove(
    request: { id: string; password?: string | undefined },
    init?: CallInit,
  ): Promise<{ id: string; data?: any }>;
  recoveryCodes(init?: CallInit): Promise<{ codes: string[] }>;
  devices(init?: CallInit): Promise<{ devices: Device[] }>;
  forgetDevice(request: { id: string }, init?: CallInit): Promise<object>;
  forgetDevices(init?: CallInit): Promise<object>;
  sendRecoveryLink(init?: CallInit): Promise<object>;
  requestSupport(request?: { message?: string | undefined }, init?: CallInit): Promise<object>;
  openRecoveryLink(request: { token: string }, init?: CallInit): Promise<Challenge>;
}
