// Quality and bits second by second, where the film was compared.
import uPlot from "uplot";

import { h } from "../dom.js";
import { bitrate, clock } from "../format.js";
import { HEIGHT, axisStyle, css, keepDrawn, timeAxis } from "../plotting.js";
import { panel } from "../sections.js";
import { vmaf } from "./words.js";

export function overTime(found) {
  const quality = h("div", { class: "plot", id: "plot-vmaf" });
  const bits = h("div", { class: "plot", id: "plot-bits" });
  const element = panel("Second by second", `${found.pair.a} and ${found.pair.b}`, quality, bits);
  return { element, draw: () => keepDrawn(element, () => [
    plot(found, "vmaf", "VMAF", vmaf, (value) => value, quality),
    plot(found, "bits_per_second", "Mbit/s", bitrate, (value) => value / 1e6, bits),
  ]) };
}

function plot(found, key, unit, words, tick, place) {
  const last = found.seconds.at(-1).second;
  const by = new Map(found.seconds.map((each) => [each.second, each]));
  const times = Array.from({ length: last + 1 }, (_, second) => second);
  const columns = ["a", "b"].map((side) => times.map((second) => by.get(second)?.[side][key] ?? null));
  const values = columns.flat().filter((value) => value != null);
  const range = key === "vmaf"
    ? [Math.max(0, Math.floor((Math.min(...values) - 4) / 10) * 10), 100]
    : [0, Math.max(...values) * 1.08];
  const axis = axisStyle();
  const options = {
    width: Math.max(place.clientWidth, 200),
    height: HEIGHT,
    padding: [14, 14, 0, 0],
    cursor: { points: { size: 7 }, y: false, drag: { x: true, y: false }, sync: { key: "seconds" } },
    scales: { x: { time: false }, y: { range } },
    axes: [timeAxis(axis), { ...axis, label: unit, labelSize: 18, labelFont: axis.font, size: 46, values: (_, all) => all.map(tick) }],
    series: [
      { label: "Time", value: (_, value) => clock(value) },
      ...["a", "b"].map((side, index) => ({
        label: `${side.toUpperCase()} ${found[side].name}`,
        stroke: css(`--series-${index + 1}`),
        width: 2,
        points: { show: false },
        paths: uPlot.paths.stepped({ align: 1 }),
        value: (_, value) => words(value),
      })),
    ],
  };
  return new uPlot(options, [times, ...columns], place);
}
