// The event log: search, live at its head, and the chain of causes as a tree.
import { h } from "../dom.js";
import { ask, enc, page } from "./api.js";
import { on } from "./live.js";
import { field, head, nothing, paged, panel } from "./parts.js";
import { sentence, stateMark, when } from "./words.js";

export async function show({ main, query, signal, visit }) {
  const list = h("ol", { class: "rows events" });
  const empty = nothing("No event fits.");
  empty.hidden = true;
  const types = await ask("/v1/events/types", { signal });
  const options = h("datalist", { id: "event-types" }, types.map(({ name }) => h("option", { value: name })));
  const inputs = {
    type: h("input", { type: "text", list: "event-types", value: query.get("type") ?? "", placeholder: "title.*", autocomplete: "off" }),
    subject: h("input", { type: "text", value: query.get("subject") ?? "", placeholder: "title/sintel", autocomplete: "off" }),
    since: h("input", { type: "datetime-local", value: query.get("since") ?? "" }),
  };
  const rows = paged({
    list, empty, signal,
    load: async (path) => {
      const { rows: found, next } = await page(path, signal);
      list.append(...found.map(row));
      return next;
    },
  });
  const isOpen = () => !inputs.since.value && fits(inputs, null);
  const look = () => {
    const asked = new URLSearchParams();
    for (const name of ["type", "subject"]) if (inputs[name].value) asked.set(name, inputs[name].value);
    visit.rename(`/studio/events${asked.size ? `?${asked}` : ""}`);
    if (inputs.since.value) asked.set("since", new Date(inputs.since.value).toISOString());
    asked.set("limit", "50");
    list.replaceChildren();
    return rows.start(`/v1/events?${asked}`);
  };
  let timer;
  for (const input of Object.values(inputs)) {
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(look, 250);
    });
  }
  main.append(head("Log", "Events"), options,
    h("div", { class: "filters", role: "search" },
      field("Type", inputs.type, "Whole, or with * at the end"), field("Subject", inputs.subject, "Whole, or with * at the end"), field("Since", inputs.since)),
    list, empty, rows.more);
  await look();
  on("event", signal, (event) => {
    if (!isOpen() && !fits(inputs, event)) return;
    if (list.querySelector(`[data-id="${CSS.escape(event.id)}"]`)) return;
    list.prepend(row(event));
    empty.hidden = true;
    while (list.childElementCount > 500) list.lastChild.remove();
  });
}

/** Whether an event is among those that are searched; of null, whether all are. */
function fits({ type, subject }, event) {
  return [[type.value, event?.type], [subject.value, event?.subject]].every(([wanted, found]) =>
    !wanted || (found != null && (wanted.endsWith("*") ? found.startsWith(wanted.slice(0, -1)) : found === wanted)));
}

function row(event) {
  return h("li", { "data-id": event.id },
    h("a", { class: "event-words", href: `/studio/events/${enc(event.id)}` }, sentence(event)),
    h("code", { class: "event-type" }, event.type), h("span", { class: "small subject" }, event.subject), when(event.time));
}

export async function showOne({ main, params, signal, visit }) {
  const id = params[0];
  const { root, cut } = await ask(`/v1/events/${enc(id)}/chain`, { signal });
  const asked = find(root, id) ?? root;
  visit.name(sentence(asked.event));
  main.append(head("Event", sentence(asked.event), h("a", { class: "button quiet", href: "/studio/events" }, "All events")),
    panel("Causes and effects", "From the first cause down; what you asked for is marked",
      h("ul", { class: "tree" }, node(root, id)), cut ? h("p", { class: "fine" }, "There are more effects than are shown here.") : null),
    panel("The event", asked.event.type, h("pre", { tabindex: "0" }, JSON.stringify(asked.event, null, 2))));
  const seen = new Set(ids(root));
  on("event", signal, (event) => event.cause && seen.has(event.cause) && visit.again());
}

function find(tree, id) {
  if (tree.event.id === id) return tree;
  for (const effect of tree.effects) {
    const found = find(effect, id);
    if (found) return found;
  }
  return null;
}

const ids = (tree) => [tree.event.id, ...tree.effects.flatMap(ids)];

function node({ event, deliveries, effects }, asked) {
  const isAsked = event.id === asked;
  return h("li", {},
    h("div", { class: isAsked ? "leaf asked" : "leaf" },
      isAsked ? h("strong", { "aria-current": "true" }, sentence(event)) : h("a", { href: `/studio/events/${enc(event.id)}` }, sentence(event)),
      h("code", { class: "event-type" }, event.type), when(event.time),
      deliveries.map((delivery) => h("span", { class: "small leaf-delivery" }, `${delivery.rule} → ${delivery.function} `, stateMark(delivery.state),
        delivery.reason ? h("span", { class: "reason" }, ` ${delivery.reason}`) : null))),
    effects.length ? h("ul", {}, effects.map((effect) => node(effect, asked))) : null);
}
