// One chunk of one rung: its derivation, its score and every try at it.
import { h } from "../dom.js";
import { count, date, score, seconds } from "../format.js";
import { ask, enc } from "./api.js";
import { dialog, nothing, tellError } from "./parts.js";

const STATES = { q: "Queued", r: "Being made", e: "Encoded, not yet proved", d: "Proved and scored", u: "Reused", f: "Failed" };

export async function openCell(run, rung, chunk) {
  let cell;
  try {
    cell = await ask(`/v1/runs/${enc(run)}/cells/${enc(rung)}/${chunk}`);
  } catch (error) {
    tellError(error);
    return;
  }
  const frames = cell.frames[1] - cell.frames[0];
  dialog(`${cell.rung}, chunk ${cell.chunk + 1}`,
    h("dl", { class: "facts-list" },
      row("State", STATES[cell.state] ?? cell.state),
      row("Frames", `${count(cell.frames[0])} to ${count(cell.frames[1] - 1)} (${count(frames)})`),
      cell.score ? row("VMAF", `${score(cell.score.mean)} in the mean, ${score(cell.score.p5)} at the 5th percentile, ${score(cell.score.min)} at the worst`) : null,
      cell.key ? row("Key", h("code", {}, cell.key)) : null),
    h("h3", {}, "How it was made"),
    cell.encoded ? derivation(cell.encoded) : nothing("The ledger has nothing of it yet."),
    cell.scored ? [h("h3", {}, "How it was measured"), derivation(cell.scored)] : null,
    h("h3", {}, "Tries of this run"),
    cell.log.length ? h("ol", { class: "tries" }, cell.log.map(attempt)) : nothing("None: it was there already, or its turn has not come."));
}

const row = (words, value) => [h("dt", {}, words), h("dd", {}, value)];

function derivation(made) {
  return h("div", { class: "derivation" },
    Object.values(made.outputs).slice(0, 1).map((digest) => h("p", {}, h("a", { href: `/studio/lineage?thing=${enc(digest)}` }, "Lineage"))),
    h("p", {}, h("strong", {}, `${made.function} ${made.version}`), ` · ${seconds(made.cpu_s)} of processor, ${seconds(made.wall_s)} by the clock, on ${made.host}, ${date(made.started_at)}`),
    h("details", {}, h("summary", {}, "Inputs, parameters, tools, outputs"),
      h("pre", { tabindex: "0" }, JSON.stringify({ key: made.key, inputs: made.inputs, parameters: made.parameters, tools: made.tools, outputs: made.outputs }, null, 2))));
}

function attempt({ function: name, started_at: started, ended_at: ended, outcome, reason }) {
  const took = ended ? seconds((new Date(ended) - new Date(started)) / 1000) : null;
  const how = outcome === "done" ? "done" : outcome === "failed" ? "failed" : "not ended";
  return h("li", {}, h("span", { class: `mark ${outcome === "done" ? "good" : outcome === "failed" ? "bad" : "hold"}` }, how),
    ` ${name}, ${date(started)}${took ? `, ${took}` : ""}`, reason ? h("p", { class: "reason" }, reason) : null);
}

