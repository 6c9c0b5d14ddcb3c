// Pieces that the studio's pages are put together from.
import { h } from "../dom.js";
import { Refused } from "./api.js";

/** Tells what was done or went wrong, to eyes and to screen readers. */
export function toast(text, kind = "good") {
  const place = document.getElementById("toasts");
  const note = h("p", { class: `studio-toast ${kind}` }, text);
  place.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 9000 : 4500);
}

export function tellError(error) {
  if (error.name === "AbortError") return;
  const isUnknown = error instanceof Refused && error.status === 401;
  toast(isUnknown ? "Sign in to do that." : [error.message, error.hint].filter(Boolean).join(". "), "bad");
  if (isUnknown) window.dispatchEvent(new CustomEvent("matinee-sign-in"));
}

/** A button that does something, cannot be pressed twice meanwhile, and tells how it went. */
export function doing(words, work, { done, kind = "quiet", label, confirm } = {}) {
  const button = h("button", { type: "button", class: `button ${kind}`, "aria-label": label ?? null }, words);
  button.addEventListener("click", async () => {
    if (confirm && !window.confirm(confirm)) return;
    button.setAttribute("aria-disabled", "true");
    if (button.busy) return;
    button.busy = true;
    try {
      await work();
      if (done) toast(done);
    } catch (error) {
      tellError(error);
    } finally {
      button.busy = false;
      button.removeAttribute("aria-disabled");
    }
  });
  return button;
}

export function head(eyebrow, title, ...more) {
  return h("div", { class: "page-head" },
    h("div", {}, eyebrow ? h("p", { class: "eyebrow" }, eyebrow) : null, h("h1", { tabindex: "-1" }, title)),
    h("div", { class: "page-acts" }, more));
}

export const panel = (name, words, ...children) =>
  h("section", { class: "panel" },
    h("div", { class: "panel-head" }, h("h2", {}, name), words ? h("p", {}, words) : null), children);

export const nothing = (...words) => h("p", { class: "none" }, words);

export function bar(share, label) {
  const track = h("div", { class: "track", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100" },
    h("span", { class: "track-fill" }));
  setBar(track, share);
  return track;
}

export function setBar(track, share) {
  const percent = Math.round(100 * Math.min(1, Math.max(0, share ?? 0)));
  track.setAttribute("aria-valuenow", String(percent));
  track.firstChild.style.setProperty("--share", `${percent}%`);
}

/** A list that shows another page when its end is near, or when its button is pressed. */
export function paged({ list, load, empty, signal }) {
  let next = null;
  let busy = false;
  const more = h("button", { type: "button", class: "button quiet more-rows", hidden: true }, "Show more");
  const turn = async (path) => {
    if (busy) return;
    busy = true;
    try {
      next = await load(path);
    } catch (error) {
      if (!signal.aborted) tellError(error);
    } finally {
      busy = false;
    }
    more.hidden = !next;
    empty.hidden = list.childElementCount > 0;
  };
  more.addEventListener("click", () => next && turn(next));
  const watcher = new IntersectionObserver(([entry]) => entry.isIntersecting && next && turn(next), { rootMargin: "400px" });
  watcher.observe(more);
  signal.addEventListener("abort", () => watcher.disconnect());
  return { more, start: (path) => turn(path) };
}

export function field(words, control, hint) {
  const id = control.id || `f-${Math.random().toString(36).slice(2)}`;
  control.id = id;
  const told = hint ? h("span", { class: "hint", id: `${id}-hint` }, hint) : null;
  if (told) control.setAttribute("aria-describedby", told.id);
  return h("div", { class: "field" }, h("label", { for: id }, words), control, told);
}

export function choice(options, chosen) {
  return h("select", {}, options.map(([value, words]) => h("option", { value, selected: value === chosen }, words)));
}

/** A dialog that closes by its button, by Escape and by a click beside it. */
export function dialog(title, ...children) {
  const element = h("dialog", { class: "sheet", "aria-labelledby": "sheet-title" },
    h("div", { class: "sheet-head" }, h("h2", { id: "sheet-title" }, title),
      h("button", { type: "button", class: "button quiet", click: () => element.close(), "aria-label": "Close" }, "✕")),
    children);
  element.addEventListener("click", (event) => event.target === element && element.close());
  element.addEventListener("close", () => element.remove());
  document.getElementById("studio").append(element);
  element.showModal();
  return element;
}
