// What happens, in plain words.
import { h } from "../dom.js";
import { date } from "../format.js";

const RUN_STATES = {
  queued: ["Waiting", "plain"],
  running: ["Being made", "hold"],
  cancelling: ["Being cancelled", "hold"],
  done: ["Done", "good"],
  held: ["Held by a verdict", "bad"],
  refused: ["Film refused", "bad"],
  failed: ["Failed", "bad"],
  cancelled: ["Cancelled", "plain"],
  waiting: ["Waiting", "plain"],
  dead: ["Needs a decision", "bad"],
  skipped: ["Skipped", "plain"],
  published: ["On screen", "good"],
  hidden: ["Not on screen", "plain"],
  deleted: ["Deleted", "hold"],
  ready: ["Ready", "good"],
};

export const stateWords = (state) => RUN_STATES[state]?.[0] ?? state;

export const stateMark = (state) =>
  h("span", { class: `mark ${RUN_STATES[state]?.[1] ?? "plain"}` }, stateWords(state));

const WHY = {
  refused: "This film cannot become a right stream. Nothing of it is shown.",
  held: "Everything was made, but a verdict failed, so nothing of it is shown.",
  failed: "Something beside the film went wrong. What was finished is kept and is not made again.",
  cancelled: "It was cancelled. What was finished is kept and is not made again.",
};

export const whyEnded = (state) => WHY[state] ?? null;

const TO_DO = {
  "tool.failed": "Retry it. If it fails again at the same place, check disk and memory, then the service's log.",
  "encode.failed": "Retry it. If it names the same frames again, report it.",
  "package.failed": "Retry it; check that the disk has room.",
  "tool.hung": "Retry it. If it hangs at the same place, try another copy of the film.",
  "library.full": "Make room on the library's disk, then retry it.",
  "internal": "Retry it. If it stays, report it with the service's log.",
};

/** What a person can do here; the hints of errors speak to people at a command line. */
export const toDo = (error) => TO_DO[error?.code] ?? error?.hint ?? null;

const name = (data) => data.name ?? data.film ?? data.title ?? "a film";
const SENTENCES = {
  "film.arrived": (data) => `${name(data)} arrived`,
  "film.removed": (data) => `${name(data)} went away`,
  "film.waiting": (data) => `${name(data)} waits: ${data.message ?? ""}`,
  "run.queued": (data) => `${name(data)} waits to be made`,
  "run.started": (data) => `${name(data)} is being made`,
  "run.ended": (data) =>
    `${name(data)}: ${stateWords(data.state).toLowerCase()}${data.error ? `: ${data.error.message}` : ""}`,
  "run.late": (data) => `${name(data)} will be late`,
  "title.made": (data) => `${name(data)} passed all verdicts`,
  "title.published": (data) => `${name(data)} is on screen`,
  "title.hidden": (data) => `${name(data)} is off the screen`,
  "title.changed": (data) => `${data.title}: ${Object.keys(data.changes ?? {}).join(", ")} changed`,
  "verdict.failed": (data) => `${data.judge} found a fault in ${data.about}: ${(data.reasons ?? [])[0] ?? ""}`,
  "rights.opened": (data) => `${name(data)} may be shown now`,
  "rights.closed": (data) => `${name(data)} may be shown no more`,
  "title.deleted": (data) => `${name(data)} is deleted`,
  "title.undeleted": (data) => `${name(data)} is deleted no more`,
  "title.restored": (data) => `${name(data)} was brought back from a backup`,
  "library.restored": () => "the library was brought back from a backup",
  "garbage.collected": (data) => `${data.objects} objects were removed that nothing needs`,
  "backup.made": (data) => `backed up to ${data.vault}: ${data.objects} objects`,
  "backup.failed": (data) => `no backup to ${data.vault}: ${data.message ?? ""}`,
  "backup.damaged": (data) => `${data.damaged + data.missing} copies in ${data.vault} are bad, and are written again`,
  "backup.late": (data) => `the last ${data.what} of ${data.vault} is too old`,
  "drill.ended": (data) => `the backup in ${data.vault} ${data.passed ? "came back whole" : `did not come back whole: ${(data.reasons ?? [])[0] ?? ""}`}`,
  "delivery.dead": (data) => `${data.rule}: ${data.function} failed for good: ${data.message ?? ""}`,
  "schedule.due": (data) => `the time of ${data.rule} came`,
  "person.acted": (data) => `${data.who}: ${data.act} ${data.target}`,
};

export function sentence(event) {
  try {
    return SENTENCES[event.type]?.(event.data) ?? event.type;
  } catch {
    return event.type;
  }
}

/** How long ago, or how soon; kept right by ``tickTimes``. */
export function when(text) {
  if (!text) return h("span", {}, "–");
  const at = new Date(text);
  const element = h("time", { datetime: text, title: date(text, true) });
  element.textContent = ago(at);
  return element;
}

export function tickTimes() {
  for (const element of document.querySelectorAll("#studio time[datetime]")) {
    const words = ago(new Date(element.getAttribute("datetime")));
    if (element.textContent !== words) element.textContent = words;
  }
}

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS = [[60, "second"], [60, "minute"], [24, "hour"], [30, "day"], [12, "month"], [Infinity, "year"]];

function ago(at) {
  let value = (at.getTime() - Date.now()) / 1000;
  if (Number.isNaN(value)) return "–";
  if (Math.abs(value) < 5) return "now";
  for (const [most, unit] of UNITS) {
    if (Math.abs(value) < most) return RELATIVE.format(Math.round(value), unit);
    value /= most;
  }
  return "–";
}
