// Home: what is being made now, what needs a decision, and all titles with their posters.
import { h } from "../dom.js";
import { clock, count } from "../format.js";
import { ask, enc, page } from "./api.js";
import { on } from "./live.js";
import { bar, choice, field, head, nothing, paged, setBar } from "./parts.js";
import { poster } from "./poster.js";
import { stateMark, stateWords } from "./words.js";

const PAGE = 60;

export async function show({ main, query, signal, visit }) {
  const now = h("section", { class: "now", "aria-label": "Now" });
  const list = h("ul", { class: "cards" });
  const empty = nothing("No titles here. Films that are ", h("a", { href: "/studio/upload" }, "uploaded"), " or dropped into the watched folder appear by themselves.");
  empty.hidden = true;
  const search = h("input", { type: "search", value: query.get("search") ?? "", autocomplete: "off", placeholder: "Part of a name" });
  const state = choice([["", "All"], ["published", "On screen"], ["hidden", "Not on screen"], ["deleted", "Deleted"]], query.get("state") ?? "");
  const rows = paged({
    list, empty, signal,
    load: async (path) => {
      const { rows: found, next } = await page(path, signal);
      list.append(...found.map(card));
      return next;
    },
  });
  const look = () => {
    const asked = new URLSearchParams({ limit: String(PAGE) });
    if (search.value) asked.set("search", search.value);
    if (state.value) asked.set("state", state.value);
    list.replaceChildren();
    const shown = new URLSearchParams(asked);
    shown.delete("limit");
    visit.rename(`/studio${shown.size ? `?${shown}` : ""}`);
    return rows.start(`/v1/titles?${asked}`);
  };
  let timer;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, 200);
  });
  state.addEventListener("change", look);
  main.append(head("Studio", "Titles", h("a", { class: "button", href: "/studio/upload" }, "Upload a film")), now,
    h("div", { class: "filters", role: "search" }, field("Search", search), field("Show", state)), list, empty, rows.more);
  await Promise.all([look(), busy(now, signal)]);
}

function card(title) {
  const length = title.duration ? h("span", { class: "length" }, clock(title.duration)) : null;
  return h("li", { class: "card" },
    h("a", { class: "card-link", href: `/studio/titles/${enc(title.id)}` },
      h("span", { class: "poster" }, poster(title.poster), length), h("h2", { class: "card-name" }, title.name)),
    h("p", { class: "credit" }, title.state === "published" ? title.credit : stateMark(title.state)),
    title.state === "published" ? h("a", { class: "more", href: `/watch/${enc(title.id)}`, "aria-label": `Watch ${title.name}` }, "Watch") : null);
}

/** Runs that go on, and what waits for a person. */
async function busy(place, signal) {
  const tiles = new Map();
  const runs = h("ul", { class: "now-runs" });
  const calls = h("div", { class: "calls" });
  place.append(calls, runs);
  const tell = (run) => {
    const isOpen = ["running", "cancelling", "queued"].includes(run.state);
    if (!isOpen) {
      tiles.get(run.id)?.element.remove();
      tiles.delete(run.id);
      return;
    }
    if (!tiles.has(run.id)) {
      const track = bar(0, run.film);
      const words = h("span", { class: "small" });
      const element = h("li", {}, h("a", { href: `/studio/runs/${enc(run.id)}` }, h("strong", {}, run.film)), words, track);
      tiles.set(run.id, { element, track, words });
      runs.append(element);
    }
    const { track, words } = tiles.get(run.id);
    words.textContent = run.state === "running" && run.share != null ? `${Math.round(100 * run.share)} %` : stateWords(run.state);
    setBar(track, run.share);
  };
  const open = await ask("/v1/runs?state=running&state=cancelling&state=queued&limit=6", { signal });
  open.reverse().forEach(tell);
  on("run", signal, tell);
  const callOut = ({ deliveries_dead: dead, runs_queued: queued }) => {
    calls.replaceChildren(...[
      dead ? h("a", { class: "call bad", href: "/studio/deliveries?state=dead" }, `${count(dead)} ${dead === 1 ? "delivery needs" : "deliveries need"} a decision`) : null,
      queued > 6 ? h("a", { class: "call", href: "/studio/runs" }, `${count(queued)} films wait`) : null,
    ].filter(Boolean));
  };
  callOut((await ask("/v1/numbers", { signal })).now);
  on("numbers", signal, callOut);
}
