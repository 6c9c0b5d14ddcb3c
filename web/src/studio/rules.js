// The rules: what happens upon what, their text, and trying an event against them.
import { h } from "../dom.js";
import { ask } from "./api.js";
import { choice, field, head, nothing, panel, tellError } from "./parts.js";

const EXAMPLES = {
  "film.arrived": ["film/watch/sintel.mkv", { origin: "watch", name: "sintel.mkv", place: "/films/sintel.mkv", size_bytes: 1000000, sidecars: [], wishes: {} }],
  "title.published": ["title/sintel", { title: "sintel", name: "Sintel", package: "0123456789abcdef" }],
  "verdict.failed": ["title/sintel", { title: "sintel", name: "Sintel", package: "0123456789abcdef", judge: "frames", about: "video-480p", reasons: ["12 frames are missing"] }],
};

export async function show({ main, signal }) {
  const [rules, files, types] = await Promise.all(["/v1/rules", "/v1/rules/source", "/v1/events/types"].map((path) => ask(path, { signal })));
  main.append(head("Automation", "Rules"),
    rules.length ? h("ul", { class: "rules" }, rules.map(card)) : nothing("There are no rules."),
    tester(types), ...files.map(source));
}

function card(rule) {
  const facts = [
    ["When", rule.when ? h("code", {}, JSON.stringify(rule.when)) : null],
    ["On schedule", rule.schedule ? h("code", {}, rule.schedule) : null],
    ["If", rule.if ? h("code", {}, rule.if) : null],
    ["Do", [h("strong", {}, rule.do), Object.keys(rule.parameters).length ? h("code", {}, ` ${JSON.stringify(rule.parameters)}`) : ""]],
    ["At most", rule.at_most], ["After", rule.delay],
    ["Order", rule.ordered ? null : "does not wait for its subject"],
  ].filter(([, value]) => value);
  return h("li", { class: "rule" }, h("h2", {}, rule.name),
    h("dl", { class: "facts-list" }, facts.map(([words, value]) => [h("dt", {}, words), h("dd", {}, value)])),
    h("a", { class: "small", href: `#${anchor(rule.file, rule.line)}` }, `${rule.file}, line ${rule.line}`));
}

const anchor = (file, line) => `line-${file.replace(/\W/g, "-")}-${line}`;

function source({ name, text }) {
  const lines = text.replace(/\n$/, "").split("\n");
  return panel(name, `${lines.length} lines, as read at the start`,
    h("ol", { class: "source", tabindex: "0", "aria-label": `Text of ${name}` },
      lines.map((line, index) => h("li", { id: anchor(name, index + 1) }, h("code", {}, line || " ")))));
}

function tester(types) {
  const [first] = types;
  const type = choice(types.map(({ name }) => [name, name]), first?.name);
  const subject = h("input", { type: "text", required: true, autocomplete: "off" });
  const data = h("textarea", { rows: "8", spellcheck: "false", class: "code" });
  const meaning = h("p", { class: "fine" });
  const answer = h("div", { role: "status" });
  const fill = () => {
    const kind = types.find(({ name }) => name === type.value);
    const [about, example] = EXAMPLES[type.value] ?? ["title/sintel", Object.fromEntries(Object.entries(kind?.fields ?? {}).map(([name, [form]]) => [name, blank(form)]))];
    subject.value = about;
    data.value = JSON.stringify(example, null, 2);
    meaning.textContent = kind ? `${kind.name}: ${kind.meaning}` : "";
  };
  type.addEventListener("change", fill);
  const form = h("form", { class: "form wide" }, field("Type", type), field("Subject", subject), field("Data", data, "A JSON object"),
    h("button", { class: "button", type: "submit" }, "Try it"));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    let told;
    try {
      told = JSON.parse(data.value || "{}");
    } catch (error) {
      data.setAttribute("aria-invalid", "true");
      answer.replaceChildren(h("p", { class: "reason" }, `The data are no JSON: ${error.message}`));
      return;
    }
    data.removeAttribute("aria-invalid");
    try {
      const found = await ask("/v1/rules/test", { method: "POST", body: { type: type.value, subject: subject.value, data: told } });
      answer.replaceChildren(found.length ? h("ul", { class: "rows" }, found.map(result)) : nothing("There are no rules."));
    } catch (error) {
      tellError(error);
    }
  });
  fill();
  return panel("Try an event", "Nothing is done: you see which rules would do something, and why the others would not", meaning, form, answer);
}

const blank = (form) => ({ integer: 0, array: [], object: {} })[form] ?? "";

const result = ({ rule, matches, why }) =>
  h("li", {}, h("strong", {}, rule), h("span", { class: `mark ${matches ? "good" : "plain"}` }, matches ? "would act" : "would not"), h("span", { class: "small" }, why));
