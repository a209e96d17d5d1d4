// The application's session ends at a time. Two minutes before, the page says so and offers to stay
// signed in. Only the button asks the server for more time; what was typed stays.
import { countdown, formatTime } from "./js/codefield.js";

const box = document.querySelector("[data-session-ends]");
const says = document.querySelector("[data-session-says]");
const text = box.querySelector("[data-session-text]");
const timer = text.querySelector("[data-seconds]");
const form = box.querySelector("form");
const soonAt = 120;

// The focus returns to where the user was.
let before = document.activeElement;
if (before === document.body) before = document.querySelector("main");
document.addEventListener("focusin", ({ target }) => {
  if (!box.contains(target)) before = target;
});

let stop = () => {};
const warn = () => {
  box.hidden = false;
  says.textContent = text.textContent;
};
const run = (seconds) => {
  stop();
  box.hidden = true;
  stop = countdown(seconds, {
    soonAt,
    tick: (remaining) => { timer.textContent = formatTime(remaining); },
    soon: warn,
    end: () => {
      text.textContent = box.dataset.over;
      form?.remove();
      warn();
    },
  });
  if (seconds <= soonAt) warn();
};
run(Number(box.dataset.sessionEnds));

// Without a connection the form would lead to a page of the browser, and what was typed be lost.
const failed = document.createElement("p");
failed.textContent = box.dataset.offline;

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  let response;
  try {
    response = await fetch(form.action, {
      method: "POST",
      headers: { Accept: "application/json" },
      body: new URLSearchParams(new FormData(form)),
    });
  } catch {
    text.after(failed);
    says.textContent = box.dataset.offline;
    return;
  }
  try {
    const { ends } = await response.json();
    if (response.ok && ends > soonAt) {
      failed.remove();
      run(ends);
      before.focus();
      says.textContent = box.dataset.extended;
      return;
    }
  } catch { /* The form does it. */ }
  form.submit();
});
