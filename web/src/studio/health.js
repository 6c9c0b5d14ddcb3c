// Whether all that is stored is right: what was found, and the passes that looked.
import { h } from "../dom.js";
import { bytes, count, date } from "../format.js";
import { act, ask, enc } from "./api.js";
import { on } from "./live.js";
import { doing, head, nothing, panel } from "./parts.js";
import { when } from "./words.js";

const STATES = { open: ["To be mended", "bad"], lost: ["Lost", "bad"], mended: ["Mended", "good"] };

export async function show({ main, signal, session, visit }) {
  const [open, closed, scrubs] = await Promise.all([
    ask("/v1/findings?state=open&state=lost&limit=200", { signal }), ask("/v1/findings?state=mended&limit=50", { signal }), ask("/v1/scrubs", { signal })]);
  const last = scrubs.find(({ state }) => state === "done");
  main.append(
    head("Library", "Health", ...(session.may("operate") ? [
      doing("Scrub now", () => act("/v1/scrubs", {}), { done: "It is queued." }),
      open.length ? doing("Repair now", () => act("/v1/repairs", {}), { done: "It is queued." }) : null] : [])),
    h("p", { class: "health-word" }, h("span", { class: `mark ${open.length ? "bad" : last ? "good" : "plain"}` },
      open.length ? `${count(open.length)} ${open.length === 1 ? "fault" : "faults"}` : last ? "All is right" : "Not looked at yet"),
    last ? [" as of ", when(last.ended_at)] : null),
    panel("Not right", "Found by scrubs, and not mended", open.length ? h("ul", { class: "rows findings" }, open.map(finding)) : nothing("Nothing.")),
    panel("Scrubs", "Passes over all that is stored, newest first", scrubs.length ? table(scrubs) : nothing("None yet.")),
    panel("Mended", "The last fifty", closed.length ? h("ul", { class: "rows findings" }, closed.map(finding)) : nothing("Nothing.")));
  on("run", signal, (run) => {
    if (["scrub", "repair"].includes(run.flow) && run.ended_at) visit.again();
  });
}

const finding = (each) => h("li", {},
  h("span", { class: `mark ${STATES[each.state][1]}` }, STATES[each.state][0]),
  h("span", { class: "finding-words" }, each.message, each.how ? h("span", { class: "small" }, ` ${each.how}`) : null),
  each.digest ? h("a", { href: `/studio/lineage?thing=${enc(each.digest)}` }, "Lineage") : null,
  when(each.closed_at ?? each.found_at));

const table = (scrubs) => h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Scrubs" }, h("table", {},
  h("thead", {}, h("tr", {}, ["Begun", "State", "Objects", "Read", "Segments decoded", "New faults"].map((words) => h("th", { scope: "col" }, words)))),
  h("tbody", {}, scrubs.map(({ begun_at: begun, state, phase, counts }) => h("tr", {},
    h("td", {}, date(begun)), h("td", {}, state === "done" ? "Done" : `Running: ${phase ?? "begins"}`),
    h("td", {}, count(counts.objects ?? 0)), h("td", {}, bytes(counts.bytes ?? 0)),
    h("td", {}, count(counts.segments ?? 0)), h("td", {}, count(counts.findings ?? 0)))))));
