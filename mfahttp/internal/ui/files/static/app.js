// Comforts for pages that work without them. Nothing here sends anything but what a user submits,
// except a form that the server marks with data-send-now, and nothing is kept.
import { codeField, countdown, formatTime } from "./js/codefield.js";

const all = (selector) => document.querySelectorAll(selector);
// The user's own variant of the page's language: 1 December or December 1.
const lang = document.documentElement.lang || "en";
const written = (tag) => {
  const { language, script } = new Intl.Locale(tag).maximize();
  return language + script; // zh-TW is zh-Hant
};
const same = (tag) => {
  try { return written(tag) === written(lang); } catch { return tag === lang; }
};
const locale = (navigator.languages || []).find(same) || lang;

// A field for a PIN is a masked text: the password manager of Firefox takes every field of the type
// password for one of the account, fills that one's password in, and offers to save the PIN. In other
// browsers it becomes a password, which screen readers do not read out.
if (!CSS.supports("-moz-orient", "inline") || !CSS.supports("-webkit-text-security", "disc")) {
  for (const field of all("input.sg-masked")) {
    field.classList.remove("sg-masked");
    field.type = "password";
  }
}

// A mistake is where to go on.
const wrong = document.querySelector("[aria-invalid=true]");
if (wrong) {
  wrong.focus();
  if (wrong.select) wrong.select();
}

// Days and times as they are where the user is.
const inWords = { day: "numeric", month: "long", year: "numeric", numberingSystem: "latn" };
const withTime = { ...inWords, hour: "2-digit", minute: "2-digit", timeZoneName: "short" };
// Browsers have no form of their own for the first of a month, such as "1er" in French.
const { first } = document.documentElement.dataset;
// A day stays in the line of its month, and a zone, "pm" and words like "at" in that of the time. The
// character for "day" is no such word.
const together = (a, b) => (b?.type === "timeZoneName" && a?.type !== "day") || a?.type === "timeZoneName" ||
  [a?.type, b?.type].sort().join() === "day,month" || [a?.type, b?.type].join() === "minute,dayPeriod";
// The abbreviation for "year" stays in the line of the year.
const afterYear = (value) => value.replace(/^ (?=\p{L}+\.)/u, "\u00a0");
const said = (day, format) => new Intl.DateTimeFormat(locale, format).formatToParts(day)
  .map(({ type, value: raw }, i, parts) => {
    const value = parts[i - 1]?.type === "year" ? afterYear(raw) : raw;
    if (first && type === "day" && value === "1") return first;
    if (parts[i + 1]?.type === "hour") {
      const within = /dayPeriod|Zone/.test(parts[i - 1]?.type) ? / /g : /(?<= .*[\p{L}\p{M}]) /gu;
      return value.replace(within, "\u00a0");
    }
    return together(parts[i - 1], parts[i + 1]) ? value.replaceAll(" ", "\u00a0") : value;
  }).join("").replace(/([^\P{L}\p{Script=Han}][.]?) (?=\d\d?[:.]\d\d)/u, "$1\u00a0");
for (const time of all("time[data-day], time[data-moment]")) {
  const day = new Date(time.dateTime);
  if (isNaN(day)) continue;
  try {
    time.textContent = said(day, "moment" in time.dataset ? withTime : inWords);
    time.title = day.toLocaleString(locale);
  } catch { /* The server's text stays. */ }
}

// Codes that were sent, or that an app shows.
for (const input of all("input.sg-code[autocomplete=one-time-code][inputmode=numeric]")) codeField(input);

// What is announced of a countdown is only that little remains, and that it is over.
for (const box of all("[data-countdown]")) {
  const timer = box.querySelector("[data-seconds]");
  const says = box.parentElement.querySelector("[data-say]");
  if (!timer) continue;
  const say = (text) => { if (says) says.textContent = text; };
  countdown(Number(timer.dataset.seconds), {
    tick: (remaining) => { timer.textContent = formatTime(remaining); },
    soon: () => say(box.dataset.soon),
    end: () => {
      box.textContent = box.dataset.over;
      box.classList.toggle("sg-over", !("retry" in box.dataset));
      say(box.dataset.over);
      const again = document.querySelector("[data-again]");
      if ("retry" in box.dataset && again) location.replace(again.href);
    },
  });
}

// A form that was submitted is not submitted again by a second click. The button is not
// disabled: it would lose the focus, and its value. After ten seconds, or those that the form says, it
// is free again: the user may have stopped the browser, which no event says. The server accepts a
// form that comes twice.
const free = (form) => {
  delete form.dataset.busy;
  for (const b of form.querySelectorAll("button[type=submit]")) b.removeAttribute("aria-disabled");
};
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-once]")) return;
  if (form.dataset.busy) {
    event.preventDefault();
    return;
  }
  form.dataset.busy = "yes";
  for (const b of form.querySelectorAll("button[type=submit]")) b.setAttribute("aria-disabled", "true");
  setTimeout(free, (Number(form.dataset.once) || 10) * 1000, form);
});
// A code that is sent without a click, once the user sees the page: not in a tab that was restored
// behind others, and not while the browser renders ahead. The server sends it once.
for (const form of all("form[data-send-now]")) {
  const post = () => {
    if (document.visibilityState !== "visible" || document.prerendering) return;
    document.removeEventListener("visibilitychange", post);
    document.removeEventListener("prerenderingchange", post);
    form.requestSubmit();
  };
  document.addEventListener("visibilitychange", post);
  document.addEventListener("prerenderingchange", post);
  post();
}

// The back button finds the page as it was left.
addEventListener("pageshow", () => all("form[data-once]").forEach(free));

for (const button of all("[data-show]")) {
  const input = document.getElementById(button.dataset.show);
  if (!input) continue;
  button.hidden = false;
  const masked = input.classList.contains("sg-masked");
  const set = (shown) => {
    if (masked) input.classList.toggle("sg-masked", !shown);
    else input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.addEventListener("click", () => set(button.getAttribute("aria-pressed") !== "true"));
  // A field that is sent as text may be remembered by the browser.
  if (input.form) input.form.addEventListener("submit", () => set(false));
}

// The text of a list is its items by line, that of a key has no spaces.
const textOf = (id) => {
  const from = document.getElementById(id);
  if (!from) return "";
  const items = [...from.querySelectorAll("li")];
  return items.length ? items.map((li) => li.textContent.trim()).join("\n") + "\n" : from.textContent.replace(/\s+/g, "");
};
const copy = async (id) => {
  try {
    await navigator.clipboard.writeText(textOf(id));
    return true;
  } catch { // Old browsers, and pages that came over plain HTTP.
    const range = document.createRange();
    range.selectNodeContents(document.getElementById(id));
    getSelection().removeAllRanges();
    getSelection().addRange(range);
    return document.execCommand("copy");
  }
};
for (const button of all("[data-copy]")) {
  button.hidden = false;
  const label = button.querySelector("[data-label]");
  const before = label.textContent;
  label.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    if (!await copy(button.dataset.copy)) return;
    label.textContent = button.dataset.done;
    setTimeout(() => { label.textContent = before; }, 3000);
  });
}

for (const button of all("[data-download]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const text = button.dataset.head + "\n\n" + textOf(button.dataset.download);
    const url = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = button.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  });
}

for (const button of all("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
