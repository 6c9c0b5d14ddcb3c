// Deliveries: events on their way to functions. A dead one holds its subject until a person decides.
import { h } from "../dom.js";
import { act, enc, page } from "./api.js";
import { on } from "./live.js";
import { choice, doing, field, head, nothing, paged } from "./parts.js";
import { sentence, stateMark, when } from "./words.js";

export async function show({ main, query, signal, session, visit }) {
  const canAct = session.may("operate");
  const list = h("ul", { class: "rows" });
  const empty = nothing("None. ", "Deliveries appear when a rule wants something done about an event.");
  empty.hidden = true;
  const state = choice([["dead", "That need a decision"], ["waiting", "Waiting"], ["running", "Under way"], ["done", "Done"], ["skipped", "Skipped"], ["", "All"]], query.get("state") ?? "dead");
  const rows = paged({
    list, empty, signal,
    load: async (path) => {
      const { rows: found, next } = await page(path, signal);
      list.append(...found.map((delivery) => row(delivery, canAct, look)));
      return next;
    },
  });
  function look() {
    list.replaceChildren();
    visit.rename(`/studio/deliveries?state=${state.value}`);
    return rows.start(`/v1/deliveries?limit=30${state.value ? `&state=${state.value}` : ""}`);
  }
  state.addEventListener("change", look);
  main.append(head("Functions", "Deliveries"),
    h("p", { class: "lead" }, "A function that failed for good holds what comes after it for the same subject, so that nothing happens out of order. Replay it when its cause is mended, or skip it."),
    h("div", { class: "filters" }, field("Show", state)), list, empty, rows.more);
  await look();
  on("event", signal, (event) => event.type === "delivery.dead" && state.value === "dead" && look());
}

function row(delivery, canAct, again) {
  const path = `/v1/deliveries/${delivery.id}`;
  const decide = (words, name, done) => doing(words, async () => {
    await act(`${path}/${name}`);
    again();
  }, { done, label: `${words} delivery ${delivery.id} of ${delivery.rule}`, kind: name === "replay" ? "" : "quiet" });
  const isDead = delivery.state === "dead";
  return h("li", { class: "delivery" },
    h("div", { class: "delivery-head" }, h("strong", {}, delivery.rule), h("span", { class: "small" }, `does ${delivery.function}`), stateMark(delivery.state),
      h("span", { class: "small" }, `${delivery.attempts} ${delivery.attempts === 1 ? "try" : "tries"}`), when(delivery.ended_at ?? delivery.due_at)),
    h("p", {}, h("a", { href: `/studio/events/${enc(delivery.event.id)}` }, sentence(delivery.event))),
    delivery.reason ? h("p", { class: "reason" }, delivery.reason) : null,
    isDead && canAct ? h("div", { class: "acts" }, decide("Replay", "replay", "It is tried again."), decide("Skip", "skip", "Skipped: its subject goes on.")) : null);
}
