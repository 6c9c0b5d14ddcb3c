// The queue: what is being made, what waits and in which order, what ended; and one run whole.
import { h } from "../dom.js";
import { count, seconds } from "../format.js";
import { act, ask, enc, page } from "./api.js";
import { on } from "./live.js";
import { bar, choice, doing, field, head, nothing, paged, panel, setBar } from "./parts.js";
import { isOver, Pipeline } from "./pipeline.js";
import { stateMark, when } from "./words.js";

export async function show({ main, query, signal, session }) {
  const canAct = session.may("operate");
  const running = new Rows(canAct, "Nothing is being made.");
  const queued = new Rows(canAct, "Nothing waits.");
  const ended = h("ul", { class: "rows" });
  const empty = nothing("Nothing ended so.");
  const state = choice([["", "All that ended"], ["done", "Done"], ["held", "Held"], ["refused", "Refused"], ["failed", "Failed"], ["cancelled", "Cancelled"]], query.get("state") ?? "");
  const rows = paged({
    list: ended, empty, signal,
    load: async (path) => {
      const { rows: found, next } = await page(path, signal);
      ended.append(...found.map(endedRow));
      return next;
    },
  });
  const look = () => {
    const states = state.value ? [state.value] : ["done", "held", "refused", "failed", "cancelled"];
    ended.replaceChildren();
    return rows.start(`/v1/runs?${states.map((each) => `state=${each}`).join("&")}&limit=30`);
  };
  state.addEventListener("change", look);
  main.append(head("Queue", "Runs"), panel("Being made", null, running.element),
    panel("Waiting", "The highest priority goes first, then the nearest deadline, then the oldest", queued.element),
    panel("Ended", null, h("div", { class: "filters" }, field("Show", state)), ended, empty, rows.more));
  const tell = (run) => {
    running.tell(run, ["running", "cancelling"].includes(run.state));
    queued.tell(run, run.state === "queued");
  };
  const open = await ask("/v1/runs?state=running&state=cancelling&state=queued&limit=200", { signal });
  open.reverse().forEach(tell);
  running.none();
  queued.none();
  await look();
  on("run", signal, (run) => {
    const wasOpen = running.has(run.id) || queued.has(run.id);
    tell(run);
    if (isOver(run) && wasOpen) look();
  });
}

const order = (one, other) =>
  other.priority - one.priority || (one.deadline ?? "9").localeCompare(other.deadline ?? "9") || one.queued_at.localeCompare(other.queued_at);

/** Rows of open runs, in the order in which they are taken; changed in place, so that the keyboard stays where it is. */
class Rows {
  constructor(canAct, words) {
    this.canAct = canAct;
    this.rows = new Map();
    this.list = h("ul", { class: "rows" });
    this.empty = nothing(words);
    this.element = h("div", {}, this.list, this.empty);
  }

  has(id) {
    return this.rows.has(id);
  }

  none() {
    this.empty.hidden = this.rows.size > 0;
  }

  tell(run, belongs) {
    const row = this.rows.get(run.id);
    if (!belongs) {
      row?.element.remove();
      this.rows.delete(run.id);
    } else if (row) {
      row.update(run);
    } else {
      this.rows.set(run.id, new Row(run, this.canAct));
    }
    const sorted = [...this.rows.values()].sort((a, b) => order(a.run, b.run)).map(({ element }) => element);
    const { activeElement: focused } = document;
    sorted.forEach((element, index) => {
      if (this.list.children[index] !== element) this.list.insertBefore(element, this.list.children[index] ?? null);
    });
    // What is moved loses the focus.
    if (this.list.contains(focused) && document.activeElement !== focused) focused.focus({ preventScroll: true });
    this.none();
  }
}

class Row {
  constructor(run, canAct) {
    this.track = bar(0, run.film);
    this.words = h("span", { class: "small" });
    this.mark = h("span", {});
    const path = `/v1/runs/${enc(run.id)}`;
    const hurry = (step, words) => doing(words, async () => {
      const priority = Math.max(-100, Math.min(100, this.run.priority + step));
      this.update(await ask(path, { method: "PATCH", body: { priority } }));
    }, { label: `${words}: ${run.film}` });
    this.element = h("li", { class: "run-row" },
      h("a", { href: `/studio/runs/${enc(run.id)}` }, run.film), this.mark, this.words, this.track,
      canAct ? h("span", { class: "acts" }, hurry(10, "Sooner"), hurry(-10, "Later"),
        doing("Cancel", () => act(`${path}/cancel`), { done: "Cancelled. What is finished is kept.", label: `Cancel ${run.film}`, confirm: `Cancel ${run.film}? What is finished is kept.` })) : null);
    this.update(run);
  }

  update(run) {
    this.run = run;
    this.mark.replaceChildren(stateMark(run.state));
    const parts = [];
    if (run.share != null) parts.push(`${Math.round(100 * run.share)} %`);
    if (run.left_s != null) parts.push(`about ${seconds(run.left_s)} left`);
    if (run.priority) parts.push(`priority ${count(run.priority)}`);
    this.words.replaceChildren(parts.join(" · "), run.deadline ? h("span", {}, parts.length ? " · due " : "due ", when(run.deadline)) : "");
    this.track.hidden = run.state === "queued";
    setBar(this.track, run.share);
  }
}

function endedRow(run) {
  return h("li", { class: "run-row" }, h("a", { href: `/studio/runs/${enc(run.id)}` }, run.film), stateMark(run.state), when(run.ended_at),
    run.error?.message ? h("p", { class: "reason" }, run.error.message) : null);
}

export async function showOne({ main, params, signal, session, visit }) {
  const run = await ask(`/v1/runs/${enc(params[0])}`, { signal });
  visit.name(run.film);
  const pipeline = new Pipeline(run, { canAct: session.may("operate") });
  const links = h("div", { class: "page-acts" });
  const link = (told) => {
    links.replaceChildren(...[
      told.title ? h("a", { class: "button quiet", href: `/studio/titles/${enc(told.title)}` }, "Title") : null,
      told.cause ? h("a", { class: "button quiet", href: `/studio/events/${enc(told.cause)}` }, "Why it runs") : null,
      h("a", { class: "button quiet", href: `/studio/events?subject=${enc(`run/${told.id}`)}` }, "Events"),
    ].filter(Boolean));
  };
  link(run);
  main.append(head("Run", run.film, links), panel("Pipeline", `${run.flow}, run ${run.id}`, pipeline.element));
  on("run", signal, (told) => {
    if (told.id !== run.id) return;
    pipeline.update(told);
    link(told);
  });
}
