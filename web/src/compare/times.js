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

/** The seconds that are compared, side by side; an empty place where the film goes on elsewhere. */
function closedUp(seconds) {
  return seconds.flatMap((each, index) => {
    const before = seconds[index - 1]?.second ?? each.second - 1;
    return each.second === before + 1 ? [each] : [{}, each];
  });
}

function plot(found, key, unit, words, tick, place) {
  const shown = closedUp(found.seconds);
  const times = shown.map((_, place) => place);
  const at = (place) => shown[Math.round(place)]?.second;
  const columns = ["a", "b"].map((side) => shown.map((each) => each[side]?.[key] ?? null));
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
    axes: [{ ...timeAxis(axis), values: (_, places) => places.map((place) => (at(place) == null ? "" : clock(at(place)))) }, { ...axis, label: unit, labelSize: 18, labelFont: axis.font, size: 46, values: (_, all) => all.map(tick) }],
    series: [
      { label: "Time", value: (_, place) => clock(place == null ? null : at(place)) },
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
