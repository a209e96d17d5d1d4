/// <reference lib="dom" />
import type { Passkeys } from "./client.js";

/** What the server sends to create a passkey: the data of an enrolment. */
export interface CreationOptions {
  publicKey: PublicKeyCredentialCreationOptionsJSON;
  mediation?: "conditional";
}

/** What the server sends to sign with a passkey: the data of send, or of a sign-in by passkey. */
export interface RequestOptions {
  publicKey: PublicKeyCredentialRequestOptionsJSON;
}

/** A new passkey, for Client.confirm. */
export interface Registration {
  id: string;
  rawId: string;
  type: string;
  response: { attestationObject: string; clientDataJSON: string; transports: string[] };
  clientExtensionResults: object;
}

/** A signature of a passkey, for Client.verify and Client.verifyPasswordless. */
export interface Assertion {
  id: string;
  rawId: string;
  type: string;
  response: {
    authenticatorData: string;
    clientDataJSON: string;
    signature: string;
    userHandle?: string;
  };
  clientExtensionResults: object;
}

/**
 * - `cancelled`: the user cancelled, or the signal was aborted
 * - `timeout`: the time ran out
 * - `not_supported`: neither the browser nor the user's device can do it
 * - `already_registered`: the device has a passkey of the user
 * - `insecure_context`: the page is not on https or localhost, or not on the passkeys' domain
 * - `unavailable`: any other failure
 */
export type PasskeyErrorCode =
  | "cancelled"
  | "timeout"
  | "not_supported"
  | "already_registered"
  | "insecure_context"
  | "unavailable";

/** The one error of this module. `cause` is what the browser threw. */
export class PasskeyError extends Error {
  constructor(code: PasskeyErrorCode, message: string, cause?: unknown);
  readonly code: PasskeyErrorCode;
}

export interface CeremonyInit {
  signal?: AbortSignal | undefined;
}

/** Says whether the browser has passkeys on this page. */
export function supported(): boolean;

/** Says whether passkeys are offered under a field with `autocomplete="username webauthn"`. */
export function conditionalSupported(): Promise<boolean>;

/** Returns what the browser says it can do, such as `conditionalCreate`; `{}` if it cannot say. */
export function capabilities(): Promise<Record<string, boolean>>;

/** Has the browser create a passkey. */
export function create(options: CreationOptions, init?: CeremonyInit): Promise<Registration>;

/** Has the browser sign with a passkey. */
export function get(options: RequestOptions, init?: CeremonyInit): Promise<Assertion>;

/** Offers passkeys in the list under a field, and waits until the user takes one. */
export function conditionalGet(options: RequestOptions, init?: CeremonyInit): Promise<Assertion>;

/** Has the browser forget a passkey that the server does not know any more. Never rejects. */
export function forget(gone: { rpId: string; credentialId: string }): Promise<void>;

/** Has the browser keep a user's passkeys as the server has them. Never rejects. */
export function update(passkeys: Passkeys): Promise<void>;

/** Encodes bytes as base64url without padding. */
export function toBase64url(bytes: ArrayBuffer | ArrayLike<number>): string;

/** Decodes base64url without padding. Throws a SyntaxError for anything else. */
export function fromBase64url(text: string): Uint8Array;
