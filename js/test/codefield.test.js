import assert from "node:assert/strict";
import { test } from "node:test";
import { codeField, countdown, formatTime, normalizeCode } from "../codefield.js";

test("normalizeCode leaves out what stands between digits", () => {
  for (const text of ["287549", "287 549", " 287\u00a0549\n", "287-549", "287\u2013549", "2\u200b87549",
    "\u2068287549\u2069", "\ufeff287549", "287\u2212549", "287\u0085549", "287\u02d7549", "287\u2043549", "2\ufe0f87549", "2 8 7 5 4 9"]) {
    assert.equal(normalizeCode(text), "287549", JSON.stringify(text));
  }
  assert.equal(normalizeCode("012 345"), "012345");
  assert.equal(normalizeCode("28a"), "28a", "letters stay, for the server to refuse");
  assert.equal(normalizeCode("ＡＢ＋！～"), "AB+!~");
  assert.equal(normalizeCode(""), "");
});

test("normalizeCode reads the digits of every script", () => {
  for (const text of ["٢٨٧٥٤٩", "۲۸۷۵۴۹", "२८७५४९", "２８７５４９", "𝟐𝟖𝟕𝟓𝟒𝟗", "𝟸𝟾𝟽𝟻𝟺𝟿", "𞥒𞥘𞥗𞥕𞥔𞥙"]) {
    assert.equal(normalizeCode(text), "287549", text);
  }
  // Each decimal digit of Unicode is read as one, and each script has all ten.
  const counts = Array(10).fill(0);
  for (let c = 0; c <= 0x10ffff; c++) {
    const text = c >= 0xd800 && c <= 0xdfff ? "" : String.fromCodePoint(c);
    if (/^\p{Nd}$/u.test(text)) counts[Number(normalizeCode(text))]++;
  }
  assert.ok(counts[0] > 60);
  assert.deepEqual(counts, Array(10).fill(counts[0]));
});

test("codeField prepares one field, and cuts nothing off", () => {
  const removed = [];
  let focused = 0;
  const input = {
    value: "287 549", type: "number", removeAttribute: (name) => removed.push(name), focus: () => { focused++; },
  };
  const field = codeField(input);
  assert.equal(field.input, input);
  assert.deepEqual([input.type, input.inputMode, input.autocomplete, input.spellcheck, input.autocapitalize],
    ["text", "numeric", "one-time-code", false, "none"]);
  assert.deepEqual(removed, ["maxlength"]);
  assert.equal(input.value, "287 549", "what was pasted stays");
  assert.equal(field.code, "287549");
  assert.equal(focused, 0);
  field.clear();
  assert.deepEqual([input.value, field.code, focused], ["", "", 1]);
});

// fakeClock puts a clock and timers in place that a test moves. pass lets time pass as it does;
// sleep lets it pass on a device that runs no timers meanwhile, and stops the clock that counts
// from the start of the page. set moves the clock of the device alone.
function fakeClock(t) {
  let now = 0;
  let off = 0;
  let slept = 0;
  let timers = [];
  t.mock.method(Date, "now", () => now + off);
  t.mock.method(performance, "now", () => now - slept);
  t.mock.method(globalThis, "setTimeout", (run, ms) => {
    timers.push({ run, at: now + ms });
    return timers.at(-1);
  });
  t.mock.method(globalThis, "clearTimeout", (timer) => {
    timers = timers.filter((other) => other !== timer);
  });
  const fire = () => {
    for (const timer of timers.filter((other) => other.at <= now)) {
      timers = timers.filter((other) => other !== timer);
      timer.run();
    }
  };
  return {
    pass(ms) {
      for (const end = now + ms; now < end;) {
        now += 100;
        fire();
      }
    },
    sleep(ms) {
      now += ms;
      slept += ms;
      fire();
    },
    set(ms) {
      off += ms;
    },
    waiting: () => timers.length,
  };
}

test("countdown ticks, says that little remains, and ends", (t) => {
  const clock = fakeClock(t);
  const seen = [];
  countdown(32, {
    tick: (n) => seen.push(n), soon: () => seen.push("soon"), end: () => seen.push("end"),
  });
  assert.deepEqual(seen, [32], "at once");
  clock.pass(3000);
  assert.deepEqual(seen, [32, 31, 30, "soon", 29]);
  clock.pass(40000);
  assert.deepEqual(seen.slice(-2), [1, "end"]);
  assert.equal(seen.filter((s) => s === "end" || s === "soon").length, 2, "once each");
});

test("countdown runs against the clock of a device that slept", (t) => {
  const clock = fakeClock(t);
  const seen = [];
  countdown(90, { tick: (n) => seen.push(n), end: () => seen.push("end") });
  clock.sleep(60000);
  assert.deepEqual([seen[0], seen.at(-1)], [90, 30]);
  assert.ok(seen.length < 5);
});

test("countdown gives no more time by a clock that is set back, once and again", (t) => {
  const clock = fakeClock(t);
  const seen = [];
  countdown(90, { tick: (n) => seen.push(n), end: () => seen.push("end") });
  for (const off of [-3600000, -1000, -60000]) {
    clock.pass(10000);
    clock.set(off);
  }
  clock.pass(10000);
  assert.deepEqual(seen.at(-1), 50);
  clock.pass(50000);
  assert.deepEqual(seen.slice(-2), [1, "end"]);
});

test("countdown of little time says nothing soon, and can be stopped", (t) => {
  const clock = fakeClock(t);
  const seen = [];
  const stop = countdown(30, { tick: (n) => seen.push(n), soon: () => seen.push("soon") });
  clock.pass(1000);
  stop();
  clock.pass(60000);
  assert.deepEqual(seen, [30, 29]);
  let once;
  once = countdown(30, { tick: () => { seen.push("once"); once?.(); } });
  clock.pass(3000);
  assert.deepEqual(seen.splice(2), ["once", "once"], "it is stopped from within");
  countdown(0, { tick: () => assert.fail(), end: () => seen.push("end") });
  assert.deepEqual(seen.at(-1), "end");
  clock.pass(60000);
  assert.equal(seen.length, 3, "it has ended");
  assert.equal(clock.waiting(), 0, "no timer is left");
});

test("formatTime writes minutes, and hours", () => {
  for (const [seconds, text] of [[0, "0:00"], [9, "0:09"], [90, "1:30"], [599, "9:59"], [3600, "1:00:00"], [3725, "1:02:05"]]) {
    assert.equal(formatTime(seconds), text);
  }
});
