// The backups: where they are, how old, and whether what comes back out of them is right.
import { h } from "../dom.js";
import { bytes } from "../format.js";
import { ask } from "./api.js";
import { head, nothing, panel } from "./parts.js";
import { when } from "./words.js";

const LATE = { backup: "The last backup is too old.", drill: "The last drill is too old." };

export async function show({ main, signal }) {
  const places = await ask("/v1/backups", { signal });
  main.append(head("Safety", "Backups"), places.length ? h("div", {}, places.map(place))
    : nothing("Nothing is backed up: the library has no backup.toml."));
}

function place({ vault, encrypted, made, failed, drill, late }) {
  const facts = [
    ["Last snapshot", made ? [when(made.at), ` · ${made.objects} objects, ${bytes(made.bytes)}`, made.lacking ? ` · ${made.lacking} lost by the library` : ""] : "none yet"],
    ["Last drill", drill ? [when(drill.at), ` · ${drill.title ?? "no title"}: ${drill.passed ? "all came back whole" : drill.reasons[0]}`] : "none yet"],
    ["Failed", failed ? [when(failed.at), ` · ${failed.message}`] : null],
    ["Encrypted", encrypted ? "yes" : "no"],
  ].filter(([, value]) => value);
  const faults = [...late.map((what) => LATE[what]), ...(drill && !drill.passed ? ["The last drill found faults."] : [])];
  return panel(vault, faults.length ? faults.join(" ") : "As it should be.",
    h("dl", { class: "facts-list" }, facts.map(([words, value]) => [h("dt", {}, words), h("dd", {}, value)])));
}
