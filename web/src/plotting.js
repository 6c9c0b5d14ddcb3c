// What all plots share: their colours, and that they follow the theme and the width.
import { clock } from "./format.js";

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
