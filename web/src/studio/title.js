// A title: what is on screen, what is being made of it, its packages and its runs.
import { h } from "../dom.js";
import { clock, date } from "../format.js";
import { act, ask, enc } from "./api.js";
import { on } from "./live.js";
import { dialog, doing, field, head, nothing, panel, tellError, toast } from "./parts.js";
import { isOver, Pipeline } from "./pipeline.js";
import { poster } from "./poster.js";
import { newKeys } from "./rekey.js";
import { stateMark, when } from "./words.js";

export async function show({ main, params, signal, session, visit }) {
  const path = `/v1/titles/${enc(params[0])}`;
  const [title, runs] = await Promise.all([ask(path, { signal }), ask(`/v1/runs?title=${enc(params[0])}&limit=20`, { signal })]);
  visit.name(title.name);
  const canAct = session.may("operate");
  const again = () => visit.again();
  const doIt = (words, name, body, done, confirm) => doing(words, async () => {
    await act(`${path}/${name}`, body);
    again();
  }, { done, confirm });
  const { encryption } = title.report ?? {};
  const keys = newKeys(title, path, async ({ id }) => told(await ask(`/v1/runs/${enc(id)}`, { signal })));
  main.append(
    head("Title", title.name,
      title.media ? h("a", { class: "button", href: `/watch/${enc(title.id)}` }, "Watch") : null,
      h("a", { class: "button quiet", href: `/titles/${enc(title.id)}` }, "Report"),
      h("a", { class: "button quiet", href: `/studio/lineage?thing=${enc(title.id)}` }, "Lineage"),
      h("a", { class: "button quiet", href: `/studio/events?subject=${enc(`title/${title.id}`)}` }, "Events")),
    h("div", { class: "title-top" },
      h("div", { class: "poster" }, poster(title.poster), title.duration ? h("span", { class: "length" }, clock(title.duration)) : null),
      h("div", { class: "title-words" },
        h("p", {}, stateMark(title.state), " ", title.public ? h("span", { class: "mark plain" }, "Open to all") : null),
        title.credit ? h("p", { class: "credit" }, title.credit) : null,
        h("dl", { class: "facts-list" },
          fact("Film", title.film), fact("Added", date(title.added_at)),
          encryption ? fact("Keys", `${encryption.scheme}, generation ${encryption.generation}`) : null,
          title.opens_at ? fact("May be shown from", date(title.opens_at)) : null,
          title.closes_at ? fact("May be shown until", date(title.closes_at)) : null,
          title.removes_at ? fact("Goes for good", date(title.removes_at)) : null),
        canAct ? h("div", { class: "acts" },
          h("button", { type: "button", class: "button quiet", click: () => edit(path, title, again) }, "Edit"),
          title.state === "published" ? doIt("Take off the screen", "hide", {}, "It is off the screen.") : null,
          title.state === "hidden" && title.packages.some(({ state }) => state === "ready") ? doIt("Put on screen", "show", {}, "It is on screen.") : null,
          title.packages.length > 1 && title.state !== "deleted" ? doIt("Go back one package", "rollback", {}, "The package before is on screen.") : null,
          encryption && title.state !== "deleted" ? keys.button : null,
          title.state === "deleted" ? doIt("Bring it back", "undelete", {}, "It is deleted no more.")
            : doIt("Delete", "delete", {}, "It is deleted, and can be brought back for 7 days.", `Delete ${title.name}? It can be brought back for 7 days.`)) : null)));
  const place = h("div", {});
  const history = h("ul", { class: "rows" });
  const none = h("li", {}, "None.");
  main.append(panel("Being made", "Fills in as chunks finish; choose a cell to see how it was made", place),
    panel("Packages", "Newest first", packages(title, path, canAct, again)), panel("Runs", null, history));
  let shown = null;
  const known = new Map();
  const tell = (run) => {
    if (shown?.run.id === run.id) shown.update(run);
    else if (!isOver(run) || !shown) {
      shown = new Pipeline(run, { canAct });
      place.replaceChildren(shown.element);
    }
  };
  const list = (run) => {
    none.remove();
    const line = h("li", {}, h("a", { href: `/studio/runs/${enc(run.id)}` }, run.film), stateMark(run.state), when(run.ended_at ?? run.started_at ?? run.queued_at));
    if (known.has(run.id)) known.get(run.id).replaceWith(line);
    else history.prepend(line);
    known.set(run.id, line);
  };
  const told = (run) => {
    const before = shown?.run.state;
    tell(run);
    keys.tell(run);
    if (known.get(run.id)?.state !== run.state) list(run);
    if (run.state === "done" && before && before !== "done") again();
  };
  runs.slice().reverse().forEach((run) => {
    list(run);
    keys.tell(run);
  });
  if (runs.length) tell(await ask(`/v1/runs/${enc((runs.find((run) => !isOver(run)) ?? runs[0]).id)}`, { signal }));
  else place.append(nothing("No run of this service made it: it was published by the command line."));
  if (!runs.length) history.append(none);
  on("run", signal, (run) => run.title === title.id && told(run));
}

const fact = (words, value) => [h("dt", {}, words), h("dd", {}, value)];

function packages(title, path, canAct, again) {
  if (!title.packages.length) return nothing("None yet.");
  return h("ul", { class: "rows" }, title.packages.map((each) => h("li", {},
    h("a", { href: `/titles/${enc(title.id)}?package=${enc(each.id)}` }, h("code", {}, each.id)),
    stateMark(each.state), each.current ? h("span", { class: "mark good" }, "On screen") : null, when(each.made_at),
    canAct && each.state === "ready" && !each.current
      ? doing("Show this one", async () => {
        await act(`${path}/show`, { package: each.id });
        again();
      }, { done: "It is on screen.", label: `Show this one: package ${each.id}` }) : null)));
}

/** A time for an input, in the zone of who looks, and back. */
const local = (text) => {
  if (!text) return "";
  const at = new Date(text);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
};
const absolute = (text) => (text ? new Date(text).toISOString() : null);

function edit(path, title, again) {
  const name = h("input", { type: "text", value: title.name, required: true, maxlength: "500" });
  const credit = h("textarea", { rows: "2", maxlength: "2000" }, title.credit);
  const isPublic = h("input", { type: "checkbox", checked: title.public });
  const opens = h("input", { type: "datetime-local", value: local(title.opens_at) });
  const closes = h("input", { type: "datetime-local", value: local(title.closes_at) });
  const form = h("form", { class: "form" },
    field("Name", name), field("Credit", credit),
    field("May be shown from", opens, "Empty: at once"), field("May be shown until", closes, "Empty: without end"),
    h("div", { class: "field check" }, isPublic, h("label", { for: (isPublic.id = "edit-public") }, "Anybody may fetch its streams")),
    h("button", { class: "button", type: "submit" }, "Save"));
  const sheet = dialog("Edit", form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await ask(path, { method: "PATCH", body: { name: name.value, credit: credit.value, public: isPublic.checked, opens_at: absolute(opens.value), closes_at: absolute(closes.value) } });
      sheet.close();
      toast("Saved.");
      again();
    } catch (error) {
      tellError(error);
    }
  });
}
