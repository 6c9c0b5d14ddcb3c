// What all plots share: their colours, and that they follow the theme and the width.
import uPlot from "uplot";

import { bitrate, clock } from "./format.js";

export const HEIGHT = 280;
export const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const axisStyle = () => ({
  stroke: css("--soft"),
  font: `12px ${css("--sans")}`,
  grid: { stroke: css("--line"), width: 1 },
  ticks: { show: false },
});

export const timeAxis = (axis) => ({
  ...axis,
  values: (_, values) => values.map(clock),
  space: 64,
  incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600],
});

/** Draws now, and anew when the theme changes; gives a function that draws anew. */
export function keepDrawn(watched, draw) {
  let plots = [];
  const redraw = () => {
    plots.forEach((plot) => plot.destroy());
    plots = draw().filter(Boolean);
  };
  redraw();
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(() => {
    for (const plot of plots) {
      const width = plot.root.parentElement.clientWidth;
      if (width && width !== plot.width) plot.setSize({ width, height: plot.height });
    }
  }).observe(watched);
  return redraw;
}

/**
 * VMAF over bit rates. Each column is [label, what has a vmaf, colour, width of its points]; one whose
 * points are 0 wide is drawn as a line.
 */
export function ratePlot(columns, rateOf, place) {
  const rates = [...new Set(columns.flatMap(([, all]) => all.map(rateOf)))].sort((a, b) => a - b);
  const at = (all) => rates.map((each) => all.find((one) => rateOf(one) === each)?.vmaf ?? null);
  const axis = axisStyle();
  return new uPlot({
    width: Math.max(place.clientWidth, 200), height: HEIGHT, padding: [14, 14, 0, 0],
    cursor: { points: { size: 9 }, y: false, drag: { x: false, y: false } },
    scales: { x: { time: false, distr: 3, log: 2, range: [rates[0] / 1.2, rates.at(-1) * 1.2] } },
    axes: [
      { ...axis, values: (_, values) => values.map(bitrate), space: 90 },
      { ...axis, label: "VMAF, harmonic mean", labelSize: 18, labelFont: axis.font, size: 46 },
    ],
    series: [
      { label: "Bit rate", value: (_, value) => (value == null ? "–" : bitrate(value)) },
      ...columns.map(([label, , colour, wide]) => ({
        label, stroke: css(colour), width: wide ? 0 : 2, paths: wide ? () => null : undefined, spanGaps: true,
        points: { show: wide > 0, size: wide, fill: css("--sheet"), width: 2 },
        value: (_, value) => (value == null ? "–" : value.toFixed(2)),
      })),
    ],
  }, [rates, ...columns.map(([, all]) => at(all))], place);
}
