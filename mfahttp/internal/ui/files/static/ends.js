// A page that expires says so two minutes before. More time is a new page of the same form, which
// this server is asked for when the user says so. What was typed stays.
import { countdown, formatTime } from "./js/codefield.js";

for (const box of document.querySelectorAll("[data-ends]")) {
  const text = box.querySelector("[data-ends-text]");
  const timer = text.querySelector("[data-seconds]");
  const says = document.querySelector("[data-ends-say]");
  const soonAt = 120;
  let stop = () => {};
  const run = (seconds) => {
    stop();
    box.hidden = seconds > soonAt;
    stop = countdown(seconds, {
      soonAt,
      tick: (remaining) => { timer.textContent = formatTime(remaining); },
      soon: () => {
        box.hidden = false;
        says.textContent = box.dataset.soon;
      },
      end: () => {
        text.textContent = box.dataset.over;
        says.textContent = box.dataset.over;
      },
    });
  };
  run(Number(box.dataset.ends));
  const press = box.querySelector("[data-press]");
  if (press) press.hidden = false;
  press?.addEventListener("click", () => document.getElementById(press.dataset.press).click());
  const more = box.querySelector("[data-more]");
  // Without a connection the link would lead to a page of the browser, and what was typed be lost.
  const failed = document.createElement("p");
  failed.textContent = box.dataset.offline;
  more?.addEventListener("click", async (event) => {
    event.preventDefault();
    let response;
    try {
      response = await fetch(more.href, { headers: { Accept: "text/html" } });
    } catch {
      text.after(failed);
      says.textContent = box.dataset.offline;
      return;
    }
    try {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const ends = Number(page.querySelector("[data-ends]")?.dataset.ends);
      const form = document.querySelector("main form");
      const same = page.querySelector("main form")?.getAttribute("action") === form?.getAttribute("action");
      if (same && ends > soonAt && text.contains(timer)) {
        failed.remove();
        run(ends);
        says.textContent = page.querySelector("[data-ends-text]").textContent;
        (form.querySelector("input:not([type=hidden])") || form.querySelector("button")).focus();
        return;
      }
    } catch { /* The link does it. */ }
    location.assign(more.href);
  });
}
