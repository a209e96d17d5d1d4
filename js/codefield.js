// A field for a code of six digits, and the time that the code has left. Nothing here sends, logs
// or stores anything.

// codeField prepares an input for a code that was sent or that an app shows: one field, never one
// for each digit, that phones fill in by themselves. What is pasted stays as it is, with its
// spaces; a limit of the length would cut "287 549". Nothing is submitted before the user does.
export function codeField(input) {
  input.type = "text"; // "number" would drop leading zeros
  input.inputMode = "numeric";
  input.autocomplete = "one-time-code";
  input.spellcheck = false;
  input.autocapitalize = "none";
  input.removeAttribute("maxlength");
  return {
    input,
    // code is what was typed, without the spaces and hyphens.
    get code() {
      return normalizeCode(input.value);
    },
    // clear empties the field and puts the cursor into it, for another code.
    clear() {
      input.value = "";
      input.focus();
    },
  };
}

// normalizeCode leaves out what users type or paste between the digits: spaces, hyphens, dashes,
// and marks that nobody sees. It writes the digits of every script as 0 to 9, and full-width forms
// as ASCII. The server does the same.
export function normalizeCode(text) {
  return text
    .replace(/[\p{White_Space}\p{Pd}\p{Cf}\p{Variation_Selector}\u2212\u2043\u02d7]/gu, "")
    .replace(/\p{Nd}/gu, digit)
    .replace(/[\uff01-\uff5e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0));
}

// digit returns the value of a decimal digit. The digits of a script follow each other from zero.
function digit(c) {
  const code = c.codePointAt(0);
  let zero = code;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(zero - 1))) zero--;
  return String((code - zero) % 10);
}

// countdown calls tick with the whole seconds remaining, now and at each change, then end. It calls
// soon once when little remains, if there was more at first: what a screen reader should hear. The
// function that it returns stops it.
//
// It adds up how long it takes from one look to the next. The clock of the device counts, because
// some browsers stop the other one while the device sleeps. A clock that is set back makes no time
// longer; one that is set forward cannot be told from a device that slept.
export function countdown(seconds, { tick, soon, end, soonAt = 30 } = {}) {
  let passed = 0;
  let clock = Date.now();
  let running = performance.now();
  let announced = seconds <= soonAt;
  let shown;
  let run;
  const look = () => {
    run = setTimeout(look, 500);
    const now = [Date.now(), performance.now()];
    passed += Math.max(now[0] - clock, now[1] - running);
    [clock, running] = now;
    const remaining = Math.ceil(seconds - passed / 1000);
    if (remaining <= 0) {
      clearTimeout(run);
      end?.();
      return;
    }
    if (remaining !== shown) tick?.(shown = remaining);
    if (remaining <= soonAt && !announced) {
      announced = true;
      soon?.();
    }
  };
  look();
  return () => clearTimeout(run);
}

// formatTime writes seconds as 1:30, or 1:00:00 from an hour on.
export function formatTime(seconds) {
  const two = (n) => String(n).padStart(2, "0");
  const h = Math.floor(seconds / 3600);
  const m = Math.floor(seconds / 60) % 60;
  return h ? `${h}:${two(m)}:${two(seconds % 60)}` : `${m}:${two(seconds % 60)}`;
}
