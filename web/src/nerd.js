// The panel for the curious: what plays, how good it is, how full the buffer is.
import { h } from "./dom.js";
import { bitrate, clock, count, score } from "./format.js";
import { renditionOf, segmentsOf, videoRenditions } from "./rungs.js";

const ROWS = [
  ["rung", "Rung"],
  ["bits", "Bit rate of the rung"],
  ["segment", "Bit rate of this segment"],
  ["vmaf", "VMAF of the rung"],
  ["now", "VMAF here"],
  ["buffer", "Buffered ahead"],
  ["line", "Estimated line"],
  ["frames", "Dropped frames"],
  ["sound", "Sound"],
];

export class NerdPanel {
  constructor({ state, report, close }) {
    this.state = state;
    this.report = report;
    this.values = Object.fromEntries(ROWS.map(([key]) => [key, h("dd", {}, "–")]));
    this.ladder = h("ol", { "aria-label": "Ladder" });
    this.element = h("section", { class: "nerd", hidden: true, "aria-label": "Stats" },
      h("h2", {}, "Stats", h("button", { type: "button", "aria-label": "Close stats", click: close }, "✕")),
      h("dl", {}, ROWS.map(([key, words]) => [h("dt", {}, words), this.values[key]])),
      this.ladder);
    const rungs = videoRenditions(report).reverse();
    const most = Math.max(...rungs.map((rung) => rung.bits_per_second), 1);
    this.items = new Map(rungs.map((rung) => {
      const item = h("li", {},
        h("span", {}, `${rung.height}p`), h("span", {}, bitrate(rung.bits_per_second)),
        h("span", {}, rung.vmaf ? `VMAF ${score(rung.vmaf.mean)}` : ""));
      item.style.setProperty("--share", `${(100 * rung.bits_per_second) / most}%`);
      return [rung.name, item];
    }));
    this.ladder.append(...this.items.values());
  }

  get shown() {
    return !this.element.hidden;
  }

  show(shown) {
    this.element.hidden = !shown;
    clearInterval(this.timer);
    if (!shown) return;
    this.refresh();
    this.timer = setInterval(() => this.refresh(), 500);
  }

  refresh() {
    const state = this.state();
    const rendition = renditionOf(this.report, state.track);
    const segment = segmentsOf(this.report, rendition)
      .find(({ start, end }) => start <= state.time && state.time < end);
    const { values } = this;
    values.rung.textContent = state.rung
      ? `${state.rung.width}×${state.rung.height} · ${state.rung.codec ?? ""}` : "–";
    values.bits.textContent = bitrate(rendition?.bits_per_second ?? state.rung?.bandwidth);
    values.segment.textContent = bitrate(segment ? segment.bits / (segment.end - segment.start) : null);
    values.vmaf.textContent = score(rendition?.vmaf?.mean);
    values.now.textContent = score(rendition?.vmaf_series?.[Math.floor(state.time)]);
    values.buffer.textContent = `${state.buffer_s.toFixed(1)} s at ${clock(state.time)}`;
    values.line.textContent = bitrate(state.bandwidth);
    values.frames.textContent = `${count(state.dropped)} of ${count(state.decoded)}`;
    values.sound.textContent = state.audio ?? "none";
    for (const [name, item] of this.items) {
      item.classList.toggle("now", name === rendition?.name);
    }
  }
}
