// New keys of an encrypted title: what they mean, and how far the run is that makes them.
import { h } from "../dom.js";
import { act } from "./api.js";
import { dialog, doing } from "./parts.js";
import { isOver } from "./pipeline.js";
import { stateWords } from "./words.js";

const WORDS = "New keys";

/** A button and, for what is told of the title's runs, ``tell``. ``begun`` gets the run that was queued. */
export function newKeys(title, path, begun) {
  let open = null;
  const button = h("button", { type: "button", class: "button quiet", click: () => open || explain(title, path, begun) }, WORDS);
  const tell = (run) => {
    if (run.flow !== "rekey" || (open && open !== run.id)) return;
    open = isOver(run) ? null : run.id;
    button.textContent = open ? `${WORDS}: ${stateWords(run.state).toLowerCase()}` : WORDS;
    if (open) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  };
  return { button, tell };
}

function explain(title, path, begun) {
  const sheet = dialog(`${WORDS} for ${title.name}`,
    h("ul", {}, [
      "The package is made again with the next generation of its keys, and every verdict is given anew. Nothing is encoded.",
      title.current ? "Only when all passed it comes on screen, in one step." : "The title stays off the screen.",
      "Who watches goes on to the end; who loads the title anew gets the new keys.",
      "There is no way back: packages with the old keys are not put on screen again.",
    ].map((words) => h("li", {}, words))),
    h("div", { class: "acts" }, doing("Make new keys", async () => {
      const run = await act(`${path}/rekey`);
      sheet.close();
      await begun(run);
    }, { kind: "", done: "It is queued." })));
}
