// Where a thing comes from: steps as a graph of cards, from the source to what is on screen.
import { h } from "../dom.js";
import { bytes, count, date, seconds } from "../format.js";
import { ask, enc } from "./api.js";
import { field, head, nothing, panel } from "./parts.js";

export async function show({ main, query, signal, visit }) {
  const thing = query.get("thing") ?? "";
  const input = h("input", { type: "text", value: thing, required: true, autocomplete: "off", spellcheck: "false" });
  const form = h("form", { class: "form wide" }, field("Thing", input, "A title, a title and a rendition as sintel/video-1080p, a file\u2019s key, or a digest"),
    h("button", { class: "button", type: "submit" }, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    visit.go(`/studio/lineage?thing=${enc(input.value.trim())}`);
  });
  main.append(head("Lineage", thing || "Where things come from"));
  if (thing) {
    const found = await ask(`/v1/lineage?thing=${enc(thing)}`, { signal });
    visit.name(`Lineage of ${found.thing}`);
    const words = found.left_out ? `${count(found.left_out)} more are left out` : "What is made of what, from the source on";
    main.append(panel("Steps", words, graph(found)));
  } else main.append(nothing("Say what you look for."));
  main.append(panel("Look for another", null, form));
}

/** Steps of one function are one card; a card\u2019s column is how far it is from the source. */
function graph(found) {
  const steps = new Map(found.steps.map((step) => [step.key, step]));
  const assets = new Map(found.assets.map((asset) => [asset.digest, asset]));
  const nameOf = (asset) => (asset.step ? `${steps.get(asset.step).function}@${steps.get(asset.step).version}` : "source");
  const cards = new Map();
  for (const asset of found.assets) {
    const name = nameOf(asset);
    if (!cards.has(name)) cards.set(name, { name, assets: [], steps: new Set(), from: new Set(), depth: 0 });
    const card = cards.get(name);
    card.assets.push(asset);
    if (asset.step) card.steps.add(asset.step);
    for (const parent of asset.parents) if (assets.has(parent) && nameOf(assets.get(parent)) !== name) card.from.add(nameOf(assets.get(parent)));
  }
  for (let round = 0; round < cards.size; round += 1) {
    for (const card of cards.values()) {
      for (const parent of card.from) card.depth = Math.min(cards.size, Math.max(card.depth, cards.get(parent).depth + 1));
    }
  }
  const columns = [];
  for (const card of cards.values()) (columns[card.depth] ??= []).push(card);
  const own = new Set(found.digests);
  return h("ol", { class: "lineage" }, columns.filter(Boolean).map((column) =>
    h("li", {}, h("ul", {}, column.map((card) => draw(card, steps, own, cards))))));
}

const idOf = (name) => `step-${name.replace(/\W/g, "-")}`;

function draw(card, steps, own, cards) {
  const made = [...card.steps].map((key) => steps.get(key));
  const into = [...cards.values()].filter(({ from }) => from.has(card.name));
  const link = (name) => h("a", { href: `#${idOf(name)}` }, name);
  const total = (name) => made.reduce((sum, step) => sum + step[name], 0);
  const size = card.assets.reduce((sum, asset) => sum + asset.size_bytes, 0);
  return h("li", { class: "lineage-card", id: idOf(card.name), tabindex: "-1" },
    h("h3", {}, card.name, card.assets.some(({ digest }) => own.has(digest)) ? h("span", { class: "mark good" }, "This") : null),
    h("p", { class: "small" }, `${count(card.assets.length)} ${card.assets.length === 1 ? "asset" : "assets"}, ${bytes(size)}`,
      made.length ? `; ${seconds(total("wall_s"))}, ${seconds(total("cpu_s"))} of processor` : ""),
    card.from.size ? h("p", { class: "small" }, "Made of ", [...card.from].flatMap((name, index) => [index ? ", " : "", link(name)])) : null,
    into.length ? h("p", { class: "small" }, "Went into ", into.flatMap(({ name }, index) => [index ? ", " : "", link(name)])) : null,
    h("details", {}, h("summary", {}, "Assets and steps"),
      h("ul", { class: "lineage-assets" }, card.assets.slice(0, 200).map((asset) => h("li", {},
        h("a", { href: `/studio/lineage?thing=${enc(asset.digest)}` }, h("code", {}, asset.digest.slice(0, 12))), ` ${asset.role}, ${bytes(asset.size_bytes)}`))),
      made.slice(0, 50).map((step) => h("div", { class: "derivation" },
        h("p", {}, `${date(step.started_at)} on ${step.host}; ${seconds(step.wall_s)}`, Object.values(step.excerpts).map(({ what }) => `; ${what}`)),
        h("pre", { tabindex: "0" }, JSON.stringify({ key: step.key, inputs: step.inputs, parameters: step.parameters, tools: step.tools }, null, 2))))));
}
