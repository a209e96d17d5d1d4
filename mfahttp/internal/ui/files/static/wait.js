// Waits for a decision on another device: asks this server whether there is one, and goes where
// the server says. It asks every 2 seconds at first and more slowly later, and stops when the
// request has expired. Without it the button of the form asks.
(() => {
  "use strict";
  const form = document.querySelector("form[data-wait]");
  if (!form) return;
  const says = form.querySelector("[data-wait-says]");
  const end = Date.now() + Number(form.dataset.wait) * 1000;
  const slowest = 10000;
  let delay = 2000;
  let timer = 0;
  let busy = false;
  let done = false;
  const say = (text) => { if (says.textContent !== text) says.textContent = text; };
  const waiting = says.textContent;

  const stop = () => {
    done = true;
    clearTimeout(timer);
  };
  const leave = (to) => {
    stop();
    location.replace(to);
  };

  // once asks once. What the server says of a decision is on the page that it names.
  const once = async () => {
    const res = await fetch(form.action, {
      method: "POST", headers: { Accept: "application/json" }, cache: "no-store",
      body: new URLSearchParams(new FormData(form)),
    });
    if (done) return;
    if (res.status === 202) {
      say(waiting);
    } else if (res.status >= 500) {
      say(form.dataset.offline);
    } else if (res.ok && /json/.test(res.headers.get("Content-Type"))) {
      leave((await res.json()).location);
    } else {
      leave(location.href); // the page says why
    }
  };
  const ask = async () => {
    if (busy || done) return;
    busy = true;
    try {
      await once();
    } catch {
      say(form.dataset.offline);
    }
    busy = false;
    next();
  };
  const next = () => {
    clearTimeout(timer);
    if (done) return;
    if (Date.now() >= end) {
      stop();
      says.parentElement.classList.add("sg-over");
      say(form.dataset.over);
      return;
    }
    timer = setTimeout(ask, Math.min(delay, Math.max(end - Date.now(), 0)));
    delay = Math.min(delay * 1.2, slowest);
  };

  for (const e of form.querySelectorAll("[data-wait-manual]")) e.hidden = true;
  for (const e of form.querySelectorAll("[data-wait-sign]")) e.hidden = false;
  form.addEventListener("submit", stop);
  // A phone that the user approved on comes back to this page.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  next();
})();
