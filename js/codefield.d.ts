/// <reference lib="dom" />

/** A field for a code of six digits. */
export interface CodeField {
  readonly input: HTMLInputElement;
  /** What was typed or pasted, without spaces and hyphens. */
  readonly code: string;
  /** Empties the field and puts the cursor into it. */
  clear(): void;
}

/** Prepares an input for a code that was sent or that an app shows. */
export function codeField(input: HTMLInputElement): CodeField;

/** Leaves out spaces, hyphens and marks without a width, and writes all digits as 0 to 9. */
export function normalizeCode(text: string): string;

export interface CountdownInit {
  /** Is called with the seconds remaining, at once and at each change. */
  tick?: ((remaining: number) => void) | undefined;
  /** Is called once when `soonAt` seconds remain, if there were more at first. */
  soon?: (() => void) | undefined;
  /** Is called once, when no time remains. */
  end?: (() => void) | undefined;
  /** Defaults to 30 seconds. */
  soonAt?: number | undefined;
}

/** Counts down against the clock. Returns a function that stops it. */
export function countdown(seconds: number, init?: CountdownInit): () => void;

/** Writes seconds as 1:30, or 1:00:00 from an hour on. */
export function formatTime(seconds: number): string;
