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

// What follows has the names of the API's OpenAPI document, which describes each member. Times are
// RFC 3339, and numbers of seconds have the names of durations. data depends on the kind: for
// "passkey" it is what a function of passkey.js takes.

export type Purpose = "sign-in" | "step-up" | "manage" | "replace";

export interface Option {
  kind: string;
  factor?: string;
  name?: string;
  hint?: string;
  default: boolean;
  sends: boolean;
  /**
   * Approved on another device: call verify with the code "" every few seconds, as long as it
   * throws an ApiError with the code "pending".
   */
  polled?: boolean;
  recovery: boolean;
  stopped?: boolean;
  asks?: string[];
  provable?: boolean;
}

/** How long the enrolment can wait, with postpone. */
export interface Later {
  until?: string;
  times?: number;
}

export interface Postponed {
  next: "done";
}

export interface Challenge {
  next: "done" | "verify" | "enroll";
  purpose?: Purpose;
  later?: Later;
  options: Option[];
  kinds?: string[];
  expires?: string;
  expires_in?: number;
}

export interface State extends Challenge {
  signed_in: boolean;
  locked: boolean;
  retry_after?: number;
  sent?: Delivery[];
  remember_seconds?: number;
  lost_link?: boolean;
  lost_support?: boolean;
  send_first?: boolean;
}

export interface StepUpRequest {
  purpose?: "manage" | "step-up" | undefined;
}

export interface SendRequest {
  kind: string;
  factor?: string | undefined;
  purpose?: Purpose | undefined;
  first?: boolean | undefined;
}

export interface Delivery {
  kind: string;
  factor?: string;
  hint: string;
  expires?: string;
  expires_in?: number;
  data?: any;
}

export interface VerifyRequest {
  kind: string;
  code: string | Assertion;
  purpose?: Purpose | undefined;
  remember?: string | undefined;
}

export interface Verification {
  next: "done" | "enroll";
  purpose: Purpose;
  kind: string;
  recovery_left?: number;
  recovery_due?: boolean;
  renewal_due?: boolean;
  kinds?: string[];
  passkeys?: Passkeys;
  /** Offer to create a passkey: a first one, or one here after the use of one on a phone. */
  offer_passkey?: "first" | "here";
}

export interface CancelRequest {
  purpose?: Purpose | undefined;
}

export interface UnlockRequest {
  kind: string;
  code: string | Assertion;
  purpose?: Purpose | undefined;
}

export interface Unlock {
  kind: string;
  unlocked: boolean;
  answers_left: number;
}

export interface PasswordlessChallenge {
  challenge: string;
  data: RequestOptions;
  expires: string;
  expires_in: number;
}

export interface PasswordlessAnswer {
  challenge: string;
  code: string | Assertion;
}

export interface Preference {
  kind: string;
}

export interface Implied {
  use: boolean;
}

export interface Choice {
  kind: string;
  enrolled: boolean;
  password: boolean;
  recovery: boolean;
  min_length?: number;
  max_length?: number;
  digits?: boolean;
}

export interface Choices {
  choices: Choice[];
  replacing: boolean;
}

export interface Country {
  region: string;
  name: string;
  calling_code: string;
}

export interface Countries {
  locale: string;
  countries: Country[];
}

export interface Questions {
  locale: string;
  questions: string[];
}

export interface EnrollRequest {
  kind: string;
  name?: string | undefined;
  password?: string | undefined;
  /** Parameters of the kind, such as address, number and region, or pin. */
  [parameter: string]: string | undefined;
}

export interface Enrollment {
  kind: string;
  enrollment?: string;
  secret?: string;
  uri?: string;
  qr_svg?: string;
  hint?: string;
  codes?: string[];
  data?: any;
  /** As of an Option: call confirm with the code "" every few seconds. */
  polled?: boolean;
  factor?: Factor;
  expires?: string;
  expires_in?: number;
}

export interface ResendRequest {
  enrollment: string;
}

export interface AddressRequest {
  address: string;
  password?: string | undefined;
}

export interface AddressConfirmRequest {
  enrollment: string;
  code: string;
}

export interface ConfirmRequest {
  enrollment: string;
  code: string | Registration;
  name?: string | undefined;
}

export interface Confirmation {
  factor: Factor;
  signed_in: boolean;
  recovery_due: boolean;
  /** The factor does not sign in before its held_until: a recovery replaced a passkey by it. */
  waits: boolean;
}

export interface LinkRequest {
  token: string;
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
  codes_saved?: boolean;
  data?: any;
  held_until?: string;
  outdated?: boolean;
  renew?: boolean;
}

export interface Factors {
  factors: Factor[];
  kinds: string[];
  preferred?: string;
  implied_off?: boolean;
  can_turn_off_implied?: boolean;
  can_change_address?: boolean;
  recovery_left: number;
  locked: boolean;
  retry_after?: number;
  recovery_due: boolean;
  recovery_skip: boolean;
  password_for: string[];
  enroll_by?: string;
  passkeys?: Passkeys;
}

export interface RenameRequest {
  name: string;
}

export interface Renamed {
  id: string;
  name: string;
}

export interface RemoveRequest {
  password?: string | undefined;
}

/** A user's passkeys as the server has them, for update of the passkey module. */
export interface Passkeys {
  rpId: string;
  userId: string;
  credentialIds: string[];
  name: string;
  displayName: string;
}

export interface Removed {
  id: string;
  data?: any;
  passkeys?: Passkeys;
}

export interface Codes {
  codes: string[];
  factor: string;
}

export interface CodesRequest {
  password?: string | undefined;
}

export interface SavedRequest {
  factor: string;
}

export interface Device {
  id: string;
  name: string;
  created: string;
  last_used?: string;
  expires: string;
}

export interface Devices {
  devices: Device[];
}

export interface HistoryEvent {
  event: string;
  time: string;
  kind?: string;
  by_admin: boolean;
}

export interface AccountHistory {
  events: HistoryEvent[];
}

export interface SupportRequest {
  message?: string | undefined;
}

export interface SetupRequest {
  token: string;
}

export interface Nothing {
}

/** Names a factor or a device. */
export interface Identified {
  id: string;
}

/** A client of the JSON API. It logs and stores nothing. */
export class Client {
  constructor(init?: ClientInit);
  state(init?: CallInit): Promise<State>;
  send(request: SendRequest, init?: CallInit): Promise<Delivery>;
  verify(request: VerifyRequest, init?: CallInit): Promise<Verification>;
  stepUp(request?: StepUpRequest, init?: CallInit): Promise<Challenge>;
  cancel(request?: CancelRequest, init?: CallInit): Promise<Nothing>;
  postpone(init?: CallInit): Promise<Postponed>;
  signOut(init?: CallInit): Promise<Nothing>;
  unlock(request: UnlockRequest, init?: CallInit): Promise<Unlock>;
  beginPasswordless(init?: CallInit): Promise<PasswordlessChallenge>;
  verifyPasswordless(request: PasswordlessAnswer, init?: CallInit): Promise<Verification>;
  enrollChoices(init?: CallInit): Promise<Choices>;
  countries(init?: CallInit): Promise<Countries>;
  questionSuggestions(init?: CallInit): Promise<Questions>;
  enroll(request: EnrollRequest, init?: CallInit): Promise<Enrollment>;
  resend(request: ResendRequest, init?: CallInit): Promise<Delivery>;
  mailElsewhere(request: ResendRequest, init?: CallInit): Promise<Delivery>;
  cancelEnrollment(request: ResendRequest, init?: CallInit): Promise<Nothing>;
  confirm(request: ConfirmRequest, init?: CallInit): Promise<Confirmation>;
  changeAddress(request: AddressRequest, init?: CallInit): Promise<Enrollment>;
  confirmAddress(request: AddressConfirmRequest, init?: CallInit): Promise<Nothing>;
  confirmLink(request: LinkRequest, init?: CallInit): Promise<Nothing>;
  factors(init?: CallInit): Promise<Factors>;
  rename(request: Identified & RenameRequest, init?: CallInit): Promise<Renamed>;
  remove(request: Identified & RemoveRequest, init?: CallInit): Promise<Removed>;
  recoveryCodes(request?: CodesRequest, init?: CallInit): Promise<Codes>;
  recoveryCodesSaved(request: SavedRequest, init?: CallInit): Promise<Nothing>;
  devices(init?: CallInit): Promise<Devices>;
  history(init?: CallInit): Promise<AccountHistory>;
  prefer(request: Preference, init?: CallInit): Promise<Preference>;
  decline(request: Preference, init?: CallInit): Promise<Preference>;
  useImplied(request: Implied, init?: CallInit): Promise<Implied>;
  forgetDevice(request: Identified, init?: CallInit): Promise<Nothing>;
  forgetDevices(init?: CallInit): Promise<Nothing>;
  sendRecoveryLink(init?: CallInit): Promise<Nothing>;
  requestSupport(request?: SupportRequest, init?: CallInit): Promise<Nothing>;
  openRecoveryLink(request: SetupRequest, init?: CallInit): Promise<Challenge>;
}
