// Quality and bits over time, one line for each rung.
import uPlot from "uplot";

import { h } from "./dom.js";
import { clock, score } from "./format.js";
import { HEIGHT, axisStyle, css, keepDrawn, timeAxis } from "./plotting.js";
import { segmentsOf, videoRenditions } from "./rungs.js";

export function drawPlots(report, quality, rates) {
  const rungs = videoRenditions(report);
  keepDrawn(quality, () => [qualityPlot(rungs, quality), ratePlot(report, rungs, rates)]);
}

function qualityPlot(rungs, place) {
  const scored = rungs.filter((rung) => rung.vmaf_series?.length);
  if (!scored.length) return nothing(place, "No scores were kept.");
  const length = Math.max(...scored.map((rung) => rung.vmaf_series.length));
  const seconds = Array.from({ length }, (_, second) => second);
  const columns = scored.map((rung) => seconds.map((second) => rung.vmaf_series[second] ?? null));
  const lowest = Math.min(...columns.flat().filter((value) => value != null));
  const range = [Math.max(0, Math.floor((lowest - 4) / 10) * 10), 100];
  const series = scored.map((rung, index) => line(rung, index, score));
  return plot(place, "VMAF", [seconds, ...columns], series, range, (value) => value);
}

function ratePlot(report, rungs, place) {
  const segmented = rungs.map((rung) => [rung, segmentsOf(report, rung)]).filter(([, segments]) => segments.length);
  if (!segmented.length) return nothing(place, "No segment sizes were kept.");
  const [, first] = segmented[0];
  const times = [...first.map(({ start }) => start), first.at(-1).end];
  const columns = segmented.map(([, segments]) => {
    const megabits = segments.map(({ start, end, bits }) => bits / (end - start) / 1e6);
    return [...megabits, megabits.at(-1)];
  });
  const words = (value) => (value == null ? "–" : `${value.toFixed(2)} Mbit/s`);
  const series = segmented.map(([rung], index) => ({
    ...line(rung, index, words),
    paths: uPlot.paths.stepped({ align: 1 }),
  }));
  const most = Math.max(...columns.flat());
  return plot(place, "Mbit/s", [times, ...columns], series, [0, most * 1.08], (value) => value);
}

function line(rung, index, words) {
  return {
    label: rung.name,
    stroke: css(`--series-${(index % 6) + 1}`),
    width: 2,
    points: { show: false },
    value: (_, value) => words(value),
  };
}

function plot(place, unit, data, series, range, tick) {
  const axis = axisStyle();
  const options = {
    width: Math.max(place.clientWidth, 200),
    height: HEIGHT,
    padding: [14, 14, 0, 0],
    cursor: { points: { size: 7 }, y: false, drag: { x: true, y: false } },
    scales: { x: { time: false }, y: { range } },
    axes: [
      timeAxis(axis),
      { ...axis, label: unit, labelSize: 18, labelFont: axis.font, size: 46, values: (_, values) => values.map(tick) },
    ],
    series: [{ label: "Time", value: (_, value) => clock(value) }, ...series],
  };
  return new uPlot(options, data, place);
}

function nothing(place, words) {
  place.replaceChildren(h("p", { class: "none" }, words));
  return null;
}
