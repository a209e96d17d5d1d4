// Work on many users goes in steps, each of which a form continues. The script submits the next
// one, until the work is done, the user stops it, or a step is refused: then the button is there.
const stepping = document.querySelector("[data-steps]");
const go = async (region, stop, said) => {
  let stopped = false;
  stop.hidden = false;
  stop.querySelector("button").onclick = () => { stopped = true; };
  for (let form; !stopped && (form = region.querySelector("form[data-continue]"));) {
    form.querySelector("button").hidden = true;
    let next = null;
    try {
      const body = new URLSearchParams(new FormData(form));
      const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      if (response.ok && !response.redirected) next = page.querySelector("[data-steps]");
    } catch { /* The button stays. */ }
    if (!next) {
      form.querySelector("button").hidden = false;
      break;
    }
    const before = region.querySelector("[data-rows]");
    const after = next.querySelector("[data-rows]");
    if (before && after) after.prepend(...before.children);
    region.replaceChildren(...next.childNodes);
  }
  stop.hidden = true;
  // The page shows the result. A screen reader is told when the work ends, and not of each step.
  const result = region.querySelector("[role=status]") || region.querySelector("p");
  const more = stopped && region.querySelector("form[data-continue]");
  said.className = more ? "sg-fine" : "sg-unseen";
  said.textContent = more ? said.dataset.stopped : result ? result.textContent : "";
  for (const b of region.querySelectorAll("form[data-continue] button")) b.hidden = false;
};
const stops = document.querySelector("[data-stopping]");
if (stepping && stops) go(stepping, stops, document.querySelector("[data-stopped]"));
