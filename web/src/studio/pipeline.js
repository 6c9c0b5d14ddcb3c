// A run as it goes on: its phases as a graph, its grid, why it ended and what to do about it.
import { h } from "../dom.js";
import { count, fps, seconds } from "../format.js";
import { act, ask, enc } from "./api.js";
import { openCell } from "./cell.js";
import { Grid } from "./grid.js";
import { bar, choice, doing, field, setBar } from "./parts.js";
import { stateMark, stateWords, toDo, when, whyEnded } from "./words.js";

const PHASES = [
  ["look", "Look at the film", (name) => !/^(encode|score|package)/.test(name)],
  ["encode", "Encode", (name) => name.startsWith("encode")],
  ["score", "Prove and score", (name) => name.startsWith("score")],
  ["package", "Package", (name) => name === "package"],
];
export const STAGES = ["inspect", "split", "sound", "text", "search", "encode", "score", "package"];
const OVER = new Set(["done", "held", "refused", "failed", "cancelled"]);

export const isOver = (run) => OVER.has(run.state);

/** State and share of every phase. A phase is over when all its stages are. */
export function phases(run) {
  const { stages } = run.progress;
  const found = PHASES.map(([id, words, belongs]) => {
    const own = stages.filter(({ name }) => belongs(name));
    const counted = own.filter(({ total }) => total > 0);
    const total = counted.reduce((sum, stage) => sum + stage.total, 0);
    const done = counted.reduce((sum, stage) => sum + Math.min(stage.done, stage.total), 0);
    const ended = own.length > 0 && own.every(({ state }) => state === "done");
    return { id, words, state: ended ? "done" : own.length ? "running" : "waiting", share: ended ? 1 : total ? done / total : null };
  });
  found.push({ id: "show", words: "On screen", state: run.state === "done" ? "done" : "waiting", share: null });
  if (run.state === "done") return found.map((phase) => ({ ...phase, state: "done", share: 1 }));
  if (isOver(run)) {
    const stopped = found.find(({ state }) => state !== "done");
    stopped.state = run.state === "cancelled" ? "stopped" : "failed";
    for (const phase of found) if (phase.state === "running") phase.state = "stopped";
  }
  return found;
}

const PHASE_WORDS = { done: "done", running: "under way", waiting: "not yet", failed: "failed", stopped: "stopped" };

export class Pipeline {
  constructor(run, { canAct }) {
    this.canAct = canAct;
    this.nodes = new Map();
    this.grid = new Grid((rung, chunk) => openCell(this.run.id, rung, chunk));
    this.facts = h("p", { class: "run-facts" });
    this.note = h("p", { class: "note", role: "status" });
    this.watch = h("a", { class: "button" }, "Watch the preview");
    this.preview = h("p", { class: "preview", role: "status" });
    this.graph = h("ol", { class: "pipe", "aria-label": "Stages" });
    this.stages = h("ul", { class: "stages" });
    this.failure = h("div", { class: "failure", hidden: true });
    this.acts = h("div", { class: "acts" });
    this.empty = h("p", { class: "none" }, "The grid appears when the film has been split into chunks.");
    this.element = h("div", { class: "pipeline" }, this.facts, this.failure, this.graph, this.note, this.preview, this.grid.element, this.empty,
      h("details", { class: "plain-details" }, h("summary", {}, "All stages"), this.stages), this.acts);
    this.update(run);
  }

  async refresh() {
    this.update(await ask(`/v1/runs/${enc(this.run.id)}`));
  }

  update(run) {
    const before = this.run;
    this.run = run;
    this.facts.replaceChildren(...this.factsOf(run));
    for (const phase of phases(run)) this.node(phase);
    const { grid, note, stages } = run.progress;
    this.grid.element.hidden = !grid;
    this.empty.hidden = Boolean(grid) || isOver(run);
    if (grid) this.grid.update(grid);
    this.note.textContent = note && !isOver(run) ? note : "";
    this.offerPreview(run);
    this.stages.replaceChildren(...stages.map(stageLine));
    if (!before || before.state !== run.state || before.priority !== run.priority) {
      this.failure.hidden = !whyEnded(run.state);
      this.failure.replaceChildren(...failure(run));
      this.showActs(run);
    }
  }

  /** It plays while the run goes on. */
  offerPreview({ title, preview }) {
    if (!preview) {
      this.watch.remove();
      return;
    }
    this.watch.href = `/watch/${enc(title)}?preview`;
    if (!this.watch.parentNode) this.preview.append(this.watch);
  }

  factsOf(run) {
    const parts = [stateMark(run.state)];
    if (run.state === "running" || run.state === "cancelling") {
      if (run.share != null) parts.push(`${Math.round(100 * run.share)} %`);
      if (run.fps) parts.push(`${fps(run.fps)} frames a second`);
      if (run.left_s != null) parts.push(`about ${seconds(run.left_s)} left`);
    }
    if (run.state === "queued") parts.push(`priority ${run.priority}`);
    if (run.deadline) parts.push(h("span", {}, "due ", when(run.deadline)));
    if (run.ended_at) parts.push(h("span", {}, "ended ", when(run.ended_at)));
    else if (run.started_at) parts.push(h("span", {}, "started ", when(run.started_at)));
    else parts.push(h("span", {}, "queued ", when(run.queued_at)));
    return parts.flatMap((part, index) => (index ? [h("span", { class: "dot", "aria-hidden": "true" }, "·"), part] : [part]));
  }

  node({ id, words, state, share }) {
    if (!this.nodes.has(id)) {
      const track = bar(0, words);
      const told = h("span", { class: "pipe-state" });
      const element = h("li", { class: "pipe-node" }, h("span", { class: "pipe-name" }, words), told, track);
      this.nodes.set(id, { element, told, track });
      this.graph.append(element);
    }
    const { element, told, track } = this.nodes.get(id);
    element.className = `pipe-node ${state}`;
    told.textContent = state === "running" && share != null ? `${Math.round(100 * share)} %` : PHASE_WORDS[state];
    setBar(track, state === "done" ? 1 : share ?? 0);
  }

  showActs(run) {
    const path = `/v1/runs/${enc(run.id)}`;
    const buttons = [];
    const then = (answer) => this.update(answer);
    if (isOver(run)) {
      buttons.push(doing("Retry", async () => then(await act(`${path}/retry`)), { done: "Queued again.", kind: run.state === "done" ? "quiet" : "" }));
      const stage = choice(STAGES.map((name) => [name, name]), "encode");
      buttons.push(h("div", { class: "joined" }, field("Restart from", stage),
        doing("Restart", async () => then(await act(`${path}/restart`, { stage: stage.value })), { done: "Queued again." })));
    } else {
      buttons.push(doing("Cancel", async () => then(await act(`${path}/cancel`)), { done: "Cancelled. What is finished is kept.", confirm: "Cancel this run? What is finished is kept." }));
      const hurry = (step, words) => doing(words, async () =>
        then(await ask(path, { method: "PATCH", body: { priority: Math.max(-100, Math.min(100, this.run.priority + step)) } })), { done: "Priority changed." });
      buttons.push(hurry(10, "Sooner"), hurry(-10, "Later"));
    }
    this.acts.hidden = !this.canAct;
    this.acts.replaceChildren(...buttons);
  }
}

function stageLine({ name, total, done, reused, state }) {
  const counted = total ? `${count(Math.min(done, total))} of ${count(total)} frames` : state;
  return h("li", {}, h("span", { class: "stage-name" }, name), h("span", {}, counted, reused ? `, ${count(reused)} reused` : ""),
    bar(state === "done" ? 1 : total ? done / total : 0, name));
}

/** Why it ended so, in plain words, and what to do. */
export function failure(run) {
  const { error, state } = run;
  if (!whyEnded(state)) return [];
  const parts = [h("h2", {}, stateWords(state)), h("p", {}, whyEnded(state))];
  if (error?.message) parts.push(h("p", { class: "told" }, error.message, error.code ? h("code", {}, ` ${error.code}`) : null));
  if (toDo(error)) parts.push(h("p", {}, h("strong", {}, "What to do: "), toDo(error)));
  if (state === "held" && run.title) parts.push(h("p", {}, h("a", { href: `/titles/${enc(run.title)}?package=${enc(run.result?.package ?? "")}` }, "See every verdict in the report")));
  return parts;
}
