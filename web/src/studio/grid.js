// The grid of chunks and rungs: fills in as cells finish. Works for three chunks and for ten thousand.
import { h } from "../dom.js";
import { count } from "../format.js";

const WORDS = {
  q: "queued", r: "being made", e: "encoded, not yet proved", d: "proved and scored", u: "reused", f: "failed", m: "partly done",
};
const LEGEND = ["q", "r", "e", "d", "u", "f"];
const MOST_COLUMNS = 120;
const LEAST_COLUMNS = 10;
const CELL_PX = 15;

/** What several cells together are; the worst matters first. */
export function together(letters) {
  if (letters.length === 1) return letters;
  for (const letter of "fr") if (letters.includes(letter)) return letter;
  const kinds = new Set(letters);
  if (kinds.size === 1) return letters[0];
  if (![...kinds].some((letter) => "qe".includes(letter))) return "d";
  return "m";
}

export const shareDone = (letters) => [...letters].filter((letter) => "du".includes(letter)).length / letters.length;

export class Grid {
  /** ``open(rung, chunk)`` is called for a cell that was chosen. */
  constructor(open) {
    this.open = open;
    this.range = null;
    this.at = [0, 0];
    this.table = h("div", { class: "cells", role: "grid", "aria-label": "Chunks of every rung", keydown: (event) => this.key(event) });
    this.crumb = h("p", { class: "crumb" });
    this.element = h("div", { class: "grid-box" }, this.crumb, this.table,
      h("ul", { class: "legend", "aria-label": "What the colours mean" },
        LEGEND.map((letter) => h("li", {}, h("span", { class: `cell ${letter}`, "aria-hidden": "true" }), WORDS[letter]))));
    this.watcher = new ResizeObserver(() => this.grid && this.layOut());
    this.watcher.observe(this.element);
  }

  update(grid) {
    const isNew = !this.grid || this.grid.chunks.length !== grid.chunks.length || this.grid.rungs.join() !== grid.rungs.join();
    this.grid = grid;
    if (isNew) {
      this.range = [0, grid.chunks.length];
      this.layOut(true);
    } else {
      this.fill();
    }
  }

  /** Columns and rows anew: for another film, another width or another part of it. */
  layOut(always = false) {
    const [from, to] = this.range;
    const room = Math.floor((this.element.clientWidth - 72) / CELL_PX);
    const columns = Math.min(to - from, Math.max(LEAST_COLUMNS, Math.min(MOST_COLUMNS, room)));
    if (!always && columns === this.columns) return;
    const hadFocus = this.table.contains(document.activeElement);
    this.columns = columns;
    this.rungs = [...this.grid.rungs].reverse();
    this.at = [Math.min(this.at[0], this.rungs.length - 1), Math.min(this.at[1], columns - 1)];
    this.buttons = this.rungs.map((rung, row) => Array.from({ length: columns }, (_, column) =>
      h("button", { type: "button", class: "cell", tabindex: "-1", click: () => this.choose(row, column) })));
    this.table.style.setProperty("--columns", String(columns));
    this.table.replaceChildren(...this.rungs.map((rung, row) => h("div", { class: "cells-row", role: "row" },
      h("span", { role: "rowheader" }, rung),
      this.buttons[row].map((button) => h("span", { role: "gridcell" }, button)))));
    this.crumb.replaceChildren(...this.crumbs());
    this.fill();
    this.focusOn(...this.at, hadFocus);
  }

  crumbs() {
    const [from, to] = this.range;
    const all = this.grid.chunks.length;
    const each = Math.ceil((to - from) / this.columns);
    const words = `${count(to - from)} chunk${to - from === 1 ? "" : "s"}${each > 1 ? `, about ${each} in each cell: choose one to look closer` : ""}`;
    if (to - from === all) return [words];
    const back = h("button", { type: "button", class: "link", click: () => this.zoom([0, all]) }, "All chunks");
    return [back, ` › ${count(from + 1)}–${count(to)}: ${words}`];
  }

  span(column) {
    const [from, to] = this.range;
    const size = (to - from) / this.columns;
    return [from + Math.floor(column * size), Math.max(from + Math.floor(column * size) + 1, from + Math.floor((column + 1) * size))];
  }

  fill() {
    this.rungs.forEach((rung, row) => {
      const letters = this.grid.cells[rung] ?? "";
      this.buttons[row].forEach((button, column) => {
        const [start, end] = this.span(column);
        const part = letters.slice(start, end) || "q";
        const letter = together(part);
        const label = this.label(rung, start, end, letter, part);
        if (button.told === label) return;
        button.told = label;
        button.className = `cell ${letter}`;
        button.setAttribute("aria-label", label);
        button.title = label;
        button.style.setProperty("--share", `${Math.round(100 * shareDone(part))}%`);
      });
    });
  }

  label(rung, start, end, letter, part) {
    if (end - start === 1) {
      const [first, last] = this.grid.chunks[start];
      return `${rung}, chunk ${start + 1}, frames ${first} to ${last - 1}: ${WORDS[letter]}`;
    }
    const done = [...part].filter((each) => "du".includes(each)).length;
    return `${rung}, chunks ${start + 1} to ${end}: ${done} of ${end - start} done${part.includes("f") ? ", some failed" : ""}`;
  }

  choose(row, column) {
    this.at = [row, column];
    this.focusOn(row, column, true);
    const [start, end] = this.span(column);
    if (end - start === 1) this.open(this.rungs[row], start);
    else this.zoom([start, end]);
  }

  zoom(range) {
    this.range = range;
    this.at = [this.at[0], 0];
    this.layOut(true);
    this.focusOn(...this.at, true);
  }

  /** Arrow keys walk the grid; one cell of it takes part in the page's tab order. */
  key(event) {
    const [row, column] = this.at;
    const moves = {
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1], ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      Home: [row, 0], End: [row, this.columns - 1],
    };
    const to = moves[event.key];
    if (!to) {
      if (event.key === "Escape" && this.range[1] - this.range[0] < this.grid.chunks.length) this.zoom([0, this.grid.chunks.length]);
      return;
    }
    event.preventDefault();
    const clamp = (value, most) => Math.min(most, Math.max(0, value));
    this.focusOn(clamp(to[0], this.rungs.length - 1), clamp(to[1], this.columns - 1), true);
  }

  focusOn(row, column, now) {
    this.buttons[this.at[0]]?.[this.at[1]]?.setAttribute("tabindex", "-1");
    this.at = [row, column];
    const button = this.buttons[row][column];
    button.setAttribute("tabindex", "0");
    if (now) button.focus();
  }
}
