// The studio: one page whose parts are drawn from /v1 and kept right by its stream.
import { h } from "./dom.js";
import { ask, proof } from "./studio/api.js";
import * as backups from "./studio/backups.js";
import * as deliveries from "./studio/deliveries.js";
import * as events from "./studio/events.js";
import * as health from "./studio/health.js";
import * as lineage from "./studio/lineage.js";
import { connect, live, liveState } from "./studio/live.js";
import * as numbers from "./studio/numbers.js";
import { tellError, toast } from "./studio/parts.js";
import * as rules from "./studio/rules.js";
import * as runs from "./studio/runs.js";
import * as signin from "./studio/signin.js";
import * as title from "./studio/title.js";
import * as titles from "./studio/titles.js";
import * as upload from "./studio/upload.js";
import { tickTimes } from "./studio/words.js";

const PAGES = [
  [/^\/studio\/?$/, "Titles", titles.show],
  [/^\/studio\/titles\/([^/]+)$/, "Title", title.show],
  [/^\/studio\/runs$/, "Runs", runs.show],
  [/^\/studio\/runs\/([^/]+)$/, "Run", runs.showOne],
  [/^\/studio\/deliveries$/, "Deliveries", deliveries.show],
  [/^\/studio\/events$/, "Events", events.show],
  [/^\/studio\/events\/(.+)$/, "Event", events.showOne],
  [/^\/studio\/rules$/, "Rules", rules.show],
  [/^\/studio\/backups$/, "Backups", backups.show],
  [/^\/studio\/health$/, "Health", health.show],
  [/^\/studio\/lineage$/, "Lineage", lineage.show],
  [/^\/studio\/numbers$/, "Numbers", numbers.show],
  [/^\/studio\/upload$/, "Upload", upload.show],
  [/^\/studio\/sign-in$/, "Sign in", signin.show],
];
const PLACES = [
  ["/studio", "Titles"], ["/studio/runs", "Runs"], ["/studio/deliveries", "Deliveries"], ["/studio/events", "Events"],
  ["/studio/rules", "Rules"], ["/studio/health", "Health"], ["/studio/backups", "Backups"], ["/studio/numbers", "Numbers"], ["/studio/upload", "Upload"],
];

const session = {
  who: "anyone",
  scopes: [],
  may: (scope) => session.scopes.includes(scope),
  async load() {
    Object.assign(session, await ask("/v1/session"));
    if (session.who === "anyone") proof.value = "";
    else if (!proof.value) session.scopes = session.scopes.filter((scope) => scope === "read");
    drawBar();
    if (session.may("read")) connect();
  },
};

let leaving = null;
const root = document.getElementById("studio");
const main = h("div", { class: "studio-page" });
const bar = document.querySelector("header.bar");
root.append(main, h("div", { id: "toasts", role: "status", "aria-live": "polite" }));

/** Draws the page of the address. With ``quiet`` the reader's place and focus stay. */
async function draw({ quiet = false } = {}) {
  leaving?.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const path = decodeURI(location.pathname);
  const [pattern, name, show] = PAGES.find(([each]) => each.test(path)) ?? [null, "Not found", notFound];
  const params = pattern ? pattern.exec(location.pathname).slice(1).map(decodeURIComponent) : [];
  const fresh = h("div", {});
  root.setAttribute("aria-busy", "true");
  document.title = `${name} · Matinee`;
  const visit = {
    again: () => !signal.aborted && draw({ quiet: true }),
    go,
    name: (words) => { document.title = `${words} · Matinee`; },
    rename: (address) => !signal.aborted && history.replaceState(null, "", address),
  };
  const place = window.scrollY;
  if (!quiet) main.replaceChildren(fresh);
  try {
    await show({ main: fresh, params, query: new URLSearchParams(location.search), signal, session, visit });
  } catch (error) {
    if (signal.aborted) return;
    if (error.status === 401) return go(`/studio/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`);
    fresh.replaceChildren(h("section", { class: "empty" }, h("h1", { tabindex: "-1" }, error.status === 404 ? "Not here" : "That did not work"),
      h("p", {}, error.message), error.hint ? h("p", {}, error.hint) : null, h("p", {}, h("a", { class: "button", href: "/studio" }, "All titles"))));
    if (!error.status) console.warn(error);
  }
  if (signal.aborted) return;
  if (quiet) {
    main.replaceChildren(fresh);
    window.scrollTo(0, place);
  }
  root.removeAttribute("aria-busy");
  drawBar();
  if (!quiet && drawn) fresh.querySelector("h1")?.focus();
  drawn = true;
}
let drawn = false;

function notFound({ main: place }) {
  place.append(h("section", { class: "empty" }, h("h1", { tabindex: "-1" }, "Not here"), h("p", {}, "The studio has no such page."),
    h("p", {}, h("a", { class: "button", href: "/studio" }, "All titles"))));
}

function go(address) {
  if (!address.startsWith("/studio")) {
    location.assign(address);
    return;
  }
  history.pushState(null, "", address);
  window.scrollTo(0, 0);
  draw();
}

const nav = h("nav", { class: "studio-nav", "aria-label": "Studio" });
const side = h("div", { class: "studio-side" });
const dot = h("span", {}, h("span", { class: "visually-hidden" }));
bar.append(nav, side);

function drawBar() {
  const here = location.pathname.replace(/\/$/, "");
  const isAt = (path) => (path === "/studio" ? here === path || here.startsWith("/studio/titles") : here.startsWith(path));
  nav.replaceChildren(...PLACES.map(([path, words]) => h("a", { href: path, "aria-current": isAt(path) ? "page" : null }, words)));
  nav.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  const isIn = session.who !== "anyone";
  drawDot();
  side.replaceChildren(...[
    dot,
    themeButton(),
    isIn ? h("button", { type: "button", class: "button quiet", click: signOut, title: `Signed in as ${session.who}` }, "Sign out")
      : h("a", { class: "button quiet", href: `/studio/sign-in?to=${encodeURIComponent(location.pathname + location.search)}` }, "Sign in"),
  ]);
}

function drawDot() {
  const words = liveState() === "on" ? "Live" : "Not connected";
  dot.className = `live ${liveState()}`;
  dot.title = words;
  dot.firstChild.textContent = words;
}

function themeButton() {
  const { documentElement: page } = document;
  const isDark = page.dataset.theme ? page.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  return h("button", { type: "button", class: "button quiet icon", "aria-label": `Change to ${isDark ? "light" : "dark"}`, click: () => {
    page.dataset.theme = isDark ? "light" : "dark";
    try {
      localStorage.setItem("matinee-theme", page.dataset.theme);
    } catch {
      // Then it holds for this visit.
    }
    window.dispatchEvent(new Event("matinee-theme"));
    drawBar();
    side.querySelector("[aria-label^=Change]").focus();
  } }, isDark ? "☀" : "☾");
}

async function signOut() {
  try {
    await ask("/v1/session", { method: "DELETE" });
    proof.value = "";
    await session.load();
    toast("Signed out.");
    draw();
  } catch (error) {
    tellError(error);
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented || link.target || link.origin !== location.origin) return;
  if (!link.pathname.startsWith("/studio") || link.getAttribute("href").startsWith("#")) return;
  event.preventDefault();
  go(link.pathname + link.search);
});
window.addEventListener("popstate", () => draw());
window.addEventListener("matinee-sign-in", () => go(`/studio/sign-in?to=${encodeURIComponent(location.pathname + location.search)}`));
live.addEventListener("state", drawDot);
setInterval(tickTimes, 10000);
session.load().catch(tellError).then(() => draw());
