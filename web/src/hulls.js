// Rungs that come from the title: its hull over size and CRF, and where the rungs lie on it.
import { h } from "./dom.js";
import { bitrate } from "./format.js";
import { keepDrawn, ratePlot } from "./plotting.js";
import { panel, table } from "./sections.js";

const two = (value) => (value == null ? "–" : value.toFixed(2));
const size = ({ width, height }) => `${width}×${height}`;
const percent = (bits, beside) => `${bits < beside ? "−" : "+"}${Math.abs(100 * (bits / beside - 1)).toFixed(1)} %`;

/** One panel for each ladder whose rungs come from the title; each with its drawing. */
export function hulls(report) {
  return (report.hulls ?? []).map((hull, index) => {
    const place = h("div", { class: "plot", id: `plot-hull-${index}` });
    return {
      element: panel(`Rungs from the title: ${hull.ladder}`, goal(hull),
        h("p", { class: "fine" }, found(hull)), place, rungs(hull)),
      draw: () => keepDrawn(place, () => [hullPlot(hull, place)]),
    };
  });
}

function goal({ target, fixed_crf: crf, slowest, apart, closest }) {
  const top = target == null ? `CRF ${crf} at the film's own size` : `VMAF ${target}`;
  return `From ${top} down to ${bitrate(slowest)}, VMAF ${apart} or ${closest} times the bits apart`;
}

function found({ proxy, start, anchors, rounds }) {
  return [
    `Searched ${searched(start, proxy)} over ${proxy.chunks} chunks, 1 frame in ${proxy.every} scored.`,
    `Encoded as it ships: ${anchors} of them${rounds ? `, then all in ${rounds} ${rounds > 1 ? "rounds" : "round"}` : ""}.`,
  ].join(" ");
}

// Older reports do not know what earlier titles foretold.
function searched(start, { preset }) {
  if (start == null) return `by preset ${preset}`;
  return start.held
    ? `at one size, the others as ${start.titles} earlier titles foretell them,`
    : `by preset ${preset}, as this film is unlike ${start.titles} earlier titles,`;
}

function rungs(hull) {
  const step = (rung, by) => {
    const other = rung.beside.find(({ crf }) => crf === rung.crf + by);
    return other ? `${percent(other.bits_per_second, rung.bits_per_second)}, VMAF ${two(other.vmaf)}` : "–";
  };
  const others = (rung) => rung.instead.slice(0, 2)
    .map((one) => `${size(one)} ${percent(one.bits_per_second, rung.bits_per_second)}`).join(", ") || "–";
  return table("Rungs, and what their neighbours would cost",
    ["Rung", "Size", "Preset", "#CRF", "#Bit rate", "#VMAF", "CRF 2 lower", "CRF 2 higher", "As good at other sizes"],
    hull.rungs.map((rung) => [
      rung.rung, size(rung), rung.preset ?? hull.preset, rung.per_shot ? hull.target == null ? `${rung.crf}, by steps` : "per shot" : String(rung.crf), bitrate(rung.bits_per_second),
      h("strong", {}, two(rung.vmaf)), step(rung, -2), step(rung, 2), others(rung),
    ]));
}

/** A line for each size, and the rungs as points. */
function hullPlot(hull, place) {
  const columns = [
    ...hull.sizes.map((one, index) => [size(one), one.curve, `--series-${index % 6 + 1}`, 0]),
    ["Rungs", hull.rungs, "--ink", 11],
  ];
  return ratePlot(columns, (one) => one.bits_per_second, place);
}
