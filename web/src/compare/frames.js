// The shots that are worth a look: the same frame of the film and of both sides, one wiped over the other.
import { h } from "../dom.js";
import { bitrate, clock, rate } from "../format.js";
import { panel } from "../sections.js";
import { signed, vmaf } from "./words.js";

const PAIRS = [["a", "b"], ["source", "a"], ["source", "b"]];

export function frames(found) {
  if (!found.worst.length) return null;
  return panel("Look for yourself", "The same frame of both; drag, or use the arrow keys",
    h("div", { class: "looks" }, found.worst.map((worst, index) => look(found, worst, found.pictures[index]))));
}

function look(found, { shot, frame, why }, pictures) {
  const names = { source: "Film", a: `A ${found.a.name}`, b: `B ${found.b.name}` };
  const { a, b } = found.shots[shot];
  const at = clock(frame / rate(found.film.frame_rate));
  const under = h("img", { class: "under", draggable: "false" });
  const over = h("img", { class: "over", draggable: "false" });
  const stage = h("div", { class: "wipe", style: `--ratio: ${found.film.width} / ${found.film.height}; --wide: ${2 * found.film.width}px` }, under, over, h("i", { class: "edge" }));
  const labels = [h("span", {}), h("span", {})];
  const slider = h("input", { type: "range", min: "0", max: "100", value: "50", step: "0.5", "aria-label": `Wipe, frame ${frame}` });
  const wipe = (share) => {
    slider.value = share;
    stage.style.setProperty("--at", `${share}%`);
  };
  slider.addEventListener("input", () => wipe(slider.value));
  stage.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" && !event.buttons) return;
    const box = under.getBoundingClientRect();
    wipe(Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width)));
  });
  const show = ([left, right]) => {
    [under.src, over.src] = [pictures[left], pictures[right]];
    [under.alt, over.alt] = [`Frame ${frame} of ${names[left]}`, `Frame ${frame} of ${names[right]}`];
    labels.forEach((label, index) => label.replaceChildren(names[[left, right][index]]));
  };
  const buttons = PAIRS.map((pair, index) => h("button", { type: "button", "aria-pressed": String(index === 0), click: () => {
    show(pair);
    buttons.forEach((button, other) => button.setAttribute("aria-pressed", String(other === index)));
  } }, pair.map((name) => (name === "source" ? "Film" : name.toUpperCase())).join(" | ")));
  const zoom = h("button", { type: "button", class: "button quiet", "aria-pressed": "false", click: () => {
    const large = stage.parentElement.classList.toggle("large");
    zoom.setAttribute("aria-pressed", String(large));
  } }, "Pixels 2:1");
  show(PAIRS[0]);
  wipe(50);
  return h("figure", { class: "look" },
    h("figcaption", {}, h("strong", {}, `${at}, frame ${frame}`), h("span", { class: "mark hold" }, why),
      h("span", { class: "figures" }, `shot: A ${vmaf(a.vmaf)}, B ${vmaf(b.vmaf)} (${signed(b.vmaf - a.vmaf, 2)}) at `,
        `${bitrate(a.bits_per_second)} and ${bitrate(b.bits_per_second)}`)),
    h("div", { class: "wipe-box", tabindex: "0", role: "group", "aria-label": `Frame ${frame}` }, stage),
    h("div", { class: "wipe-names" }, labels), slider,
    h("div", { class: "wipe-tools" }, h("div", { class: "toggle", role: "group", "aria-label": "Which two" }, buttons), zoom));
}
