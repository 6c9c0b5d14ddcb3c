// Rate and quality: every encode as a point, the curve of each side through those worth their bits.
import uPlot from "uplot";

import { h } from "../dom.js";
import { bitrate } from "../format.js";
import { axisStyle, css, keepDrawn } from "../plotting.js";
import { panel } from "../sections.js";
import { sizeOf, vmaf } from "./words.js";

const TALL = 400;

export function curves(found) {
  const place = h("div", { class: "plot tall", id: "plot-curves" });
  const views = [{ name: "All rungs", of: () => true }, ...found.rungs.map((rung) => ({
    name: sizeOf(rung), isRung: true, of: (encode) => encode.width === rung.width && encode.height === rung.height,
  }))];
  let chosen = views[0], redraw = () => {};
  const buttons = views.map((view) => h("button", { type: "button", "aria-pressed": String(view === chosen), click: () => {
    chosen = view;
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(views[index] === view)));
    redraw();
  } }, view.name));
  const element = panel("Rate and quality", "A line goes through the encodes that are worth their bits: over all rungs, those on the convex hull",
    views.length > 2 ? h("div", { class: "toggle views", role: "group", "aria-label": "Rung" }, buttons) : null, place);
  return { element, draw: () => { redraw = keepDrawn(place, () => [plot(found, chosen, place)]); } };
}

/** What a side's line goes through: the hull over all rungs, on one rung all that is worth its bits. */
function curve(points, view) {
  const ordered = [...points].sort((p, q) => p.x - q.x || q.y - p.y);
  if (!view.isRung) return ordered.filter(({ encode }) => encode.on_hull);
  return ordered.filter(({ y }, index) => ordered.slice(0, index).every((before) => before.y < y));
}

function plot(found, view, place) {
  const sides = ["a", "b"].map((letter) => ({ letter, points: found[letter].encodes.filter(view.of)
    .map((encode) => ({ x: encode.bits_per_second, y: encode.vmaf.harmonic_mean, encode })) }));
  const columns = sides.flatMap(({ letter, points }) => [
    { letter, kind: "curve", points: curve(points, view) }, { letter, kind: "points", points },
  ]);
  const xs = [...new Set(columns.flatMap(({ points }) => points.map(({ x }) => x)))].sort((p, q) => p - q);
  const at = ({ points }) => xs.map((x) => points.find((point) => point.x === x)?.y ?? null);
  const colours = { a: css("--series-1"), b: css("--series-2") };
  const named = (column, index) => {
    const encode = index == null ? null : column.points.find((point) => point.x === xs[index])?.encode;
    return encode ? `${encode.name}: ${vmaf(encode.vmaf.harmonic_mean)} at ${bitrate(encode.bits_per_second)}` : "–";
  };
  const series = columns.map((column) => ({
    label: column.kind === "curve" ? `${column.letter.toUpperCase()} curve` : found[column.letter].name,
    stroke: colours[column.letter],
    width: column.kind === "curve" ? 2.5 : 0,
    paths: column.kind === "curve" ? undefined : () => null,
    points: { show: column.kind === "points", size: 8, fill: css("--sheet"), width: 2 },
    spanGaps: true,
    value: (_, __, ___, index) => named(column, index),
  }));
  const qualities = columns.flatMap(({ points }) => points.map(({ y }) => y));
  const low = Math.max(0, Math.floor((Math.min(...qualities) - 2) / 5) * 5);
  const axis = axisStyle();
  const options = {
    width: Math.max(place.clientWidth, 200),
    height: TALL,
    padding: [14, 18, 0, 0],
    cursor: { points: { size: 9 }, y: false, drag: { x: false, y: false }, dataIdx: nearest },
    scales: {
      x: { time: false, distr: 3, log: 2, range: [xs[0] / 1.2, xs.at(-1) * 1.2] },
      y: { range: [low, 100] },
    },
    axes: [
      { ...axis, values: apart,
        splits: () => doublings(xs[0] / 1.2, xs.at(-1) * 1.2), filter: (_, splits) => splits },
      { ...axis, label: "VMAF, harmonic mean", labelSize: 18, labelFont: axis.font, size: 46 },
    ],
    series: [{ label: "Bit rate", value: (_, value) => (value == null ? "–" : bitrate(value)) }, ...series],
  };
  return new uPlot(options, [xs, ...columns.map(at)], place);
}

function doublings(low, high) {
  const round = [1, 2, 5].flatMap((digit) => [3, 4, 5, 6, 7, 8].map((power) => digit * 10 ** power));
  return round.filter((value) => value >= low && value <= high).sort((p, q) => p - q);
}

/** Labels of the bit rates, as many as have room. */
function apart(plotted, values) {
  let last = -Infinity;
  return values.map((value) => {
    const at = plotted.valToPos(value, "x");
    if (at - last < 76) return "";
    last = at;
    return bitrate(value);
  });
}

/** The nearest point of a series: encodes of two sides never have the same bits. */
function nearest(plotted, series, hovered) {
  const values = plotted.data[series], xs = plotted.data[0];
  if (series === 0 || values[hovered] != null) return hovered;
  let best = null;
  for (let index = 0; index < values.length; index += 1) {
    if (values[index] == null) continue;
    if (best == null || Math.abs(Math.log(xs[index] / xs[hovered])) < Math.abs(Math.log(xs[best] / xs[hovered]))) best = index;
  }
  return best ?? hovered;
}
