// Plots of how busy the service is: the last ten minutes or the last day, live.
import uPlot from "uplot";

import { h } from "../dom.js";
import { bytes, count, day, seconds, time } from "../format.js";
import { ask } from "./api.js";
import { on } from "./live.js";
import { head, panel } from "./parts.js";

const HEIGHT = 180;
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const one = (value) => (value == null ? "–" : value.toLocaleString("en", { maximumFractionDigits: 1 }));
const short = (value) => (value == null ? "–" : seconds(value));
const PLOTS = [
  ["Throughput", "Frames a second", [["frames_per_second", "frames a second"]], one],
  ["Age of the queue", "How long the oldest has waited", [["run_age_s", "runs"], ["delivery_age_s", "deliveries"]], short],
  ["Waiting", "Runs and deliveries", [["runs_queued", "runs"], ["deliveries_waiting", "deliveries"]], one],
  ["Cores at work", "Of this machine", [["cores_busy", "cores"]], one],
  ["Disk", "Where the library lies", [["disk_used_bytes", "used"], ["disk_free_bytes", "free"]], bytes],
  ["Events", "Told a second", [["events_per_second", "events"]], one],
];
const TILES = [
  ["runs_running", "Being made", count], ["runs_queued", "Waiting", count], ["frames_per_second", "Frames a second", one],
  ["deliveries_dead", "Need a decision", count], ["cores_busy", "Cores at work", one], ["disk_free_bytes", "Free on the disk", bytes],
];
const KEPT = 600;

export async function show({ main, signal }) {
  const numbers = await ask("/v1/numbers", { signal });
  const values = new Map(TILES.map(([name, , words]) => [name, [h("dd", {}), words]]));
  const tell = (now) => {
    for (const [name, [place, words]] of values) place.textContent = now[name] == null ? "–" : words(now[name]);
  };
  const places = PLOTS.map(([title, words]) => [h("div", { class: "plot small-plot", role: "img", "aria-label": `${title}: ${words}` }), title, words]);
  let span = "seconds";
  let plots = [];
  const draw = () => {
    plots.forEach((plot) => plot.destroy());
    plots = PLOTS.map(([title, , columns, words], index) => plotOf(places[index][0], numbers[span], columns, words, title));
  };
  const spans = h("div", { class: "toggle", role: "group", "aria-label": "How far back" }, [["seconds", "10 minutes"], ["minutes", "1 day"]].map(([name, words]) =>
    h("button", { type: "button", "aria-pressed": String(name === span), click: async (event) => {
      span = name;
      for (const button of spans.children) button.setAttribute("aria-pressed", String(button === event.currentTarget));
      Object.assign(numbers, await ask("/v1/numbers", { signal }));
      draw();
    } }, words)));
  main.append(head("Service", "Numbers", spans),
    h("dl", { class: "tiles" }, TILES.map(([name, words]) => h("div", { class: "tile" }, h("dt", {}, words), values.get(name)[0]))),
    h("div", { class: "plots" }, places.map(([place, title, words]) => panel(title, words, place))));
  tell(numbers.now);
  draw();
  window.addEventListener("matinee-theme", draw, { signal });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw, { signal });
  const watcher = new ResizeObserver(() => plots.forEach((plot) => {
    const width = plot.root.parentElement.clientWidth;
    if (width && width !== plot.width) plot.setSize({ width, height: HEIGHT });
  }));
  watcher.observe(main);
  signal.addEventListener("abort", () => {
    watcher.disconnect();
    plots.forEach((plot) => plot.destroy());
  });
  on("numbers", signal, (now) => {
    tell(now);
    append(numbers.seconds, now);
    if (span === "seconds") plots.forEach((plot, index) => plot.setData(dataOf(numbers.seconds, PLOTS[index][2])));
  });
}

function append(series, now) {
  series.times.push(Math.round(Date.now() / 1000));
  for (const [name, column] of Object.entries(series.columns)) column.push(now[name] ?? null);
  if (series.times.length <= KEPT) return;
  series.times.shift();
  for (const column of Object.values(series.columns)) column.shift();
}

const dataOf = (series, columns) => [series.times, ...columns.map(([name]) => series.columns[name])];

/** Times of the day; below the first, and where a day begins, which day it is. */
function clockTicks(_, ticks, __, ___, step) {
  let before = null;
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    const words = time(at, step < 60);
    const isNew = day(at) !== before;
    before = day(at);
    return isNew ? `${words}\n${before}` : words;
  });
}

function plotOf(place, series, columns, words, title) {
  const axis = { stroke: css("--soft"), font: `11px ${css("--sans")}`, grid: { stroke: css("--line"), width: 1 }, ticks: { show: false } };
  return new uPlot({
    width: Math.max(place.clientWidth, 200),
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    legend: { show: columns.length > 1, live: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: (_, low, high) => [0, Math.max(1, (high ?? 1) * 1.1)] } },
    axes: [{ ...axis, space: 70, values: clockTicks }, { ...axis, size: 58, values: (_, ticks) => ticks.map(words) }],
    series: [{}, ...columns.map(([, label], index) => ({
      label, stroke: css(`--series-${index + 1}`), width: 2, points: { show: false }, value: (_, value) => words(value),
      fill: columns.length === 1 ? `color-mix(in srgb, ${css("--series-1")} 14%, transparent)` : undefined,
    }))],
  }, dataOf(series, columns), place, title);
}
