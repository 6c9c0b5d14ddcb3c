// Settings per shot: which CRF each shot has, and the curve of the one that is looked at.
import uPlot from "uplot";

import { h } from "./dom.js";
import { bitrate, clock, rate } from "./format.js";
import { HEIGHT, axisStyle, css, keepDrawn, ratePlot, timeAxis } from "./plotting.js";
import { panel, table } from "./sections.js";

const two = (value) => (value == null ? "–" : value.toFixed(2));
const short = (name) => name.replace("video-", "");

/** One panel for each ladder whose shots have settings of their own; each with its drawing. */
export function choices(report) {
  const framesPerSecond = rate(report.plan.frame_rate);
  const own = new Set((report.hulls ?? []).map((hull) => hull.ladder));
  return (report.choices ?? []).map((choice, index) =>
    ladder(choice, framesPerSecond, index, own.has(choice.ladder)));
}

function ladder(choice, framesPerSecond, index, hasOwnRungs) {
  const shots = choice.shots.map((shot, place) => ({
    ...shot, number: place + 1, from: shot.start / framesPerSecond, to: shot.end / framesPerSecond,
    rate: (bits) => (bits * framesPerSecond) / (shot.end - shot.start),
  }));
  const over = h("div", { class: "plot", id: `plot-crf-${index}` });
  const curve = h("div", { class: "plot", id: `plot-shot-${index}` });
  const facts = h("div", { class: "shot-facts", id: `shot-facts-${index}`, "aria-live": "polite" });
  const select = h("select", { id: `shot-${index}` }, shots.map((shot) =>
    h("option", { value: String(shot.number) }, `${shot.number}: ${clock(shot.from)} to ${clock(shot.to)}, CRF ${shot.crf}`)));
  let looked = shots[0], redraw = () => {};
  const look = () => {
    looked = shots[Number(select.value) - 1];
    facts.replaceChildren(points(choice, looked));
    redraw();
  };
  select.addEventListener("change", look);
  const element = panel(`Settings per shot: ${short(choice.rung)}`, goal(choice),
    h("p", { class: "fine" }, found(choice, hasOwnRungs)), over,
    h("p", { class: "shot-choice" }, h("label", { for: `shot-${index}` }, "Shot "), select), curve, facts);
  facts.replaceChildren(points(choice, looked));
  return {
    element,
    draw: () => {
      keepDrawn(over, () => [crfPlot(shots, over)]);
      redraw = keepDrawn(curve, () => [shotPlot(looked, curve)]);
    },
  };
}

function goal({ target, margin, fixed_crf: crf, goal: quality }) {
  return target == null ? `As good as CRF ${crf} for all shots: by proxies VMAF ${two(quality)}`
    : `VMAF ${target}, no shot below ${target - margin}`;
}

function found(choice, hasOwnRungs) {
  const { rounds, slope, followers, target } = choice;
  const same = hasOwnRungs ? "steps from their own CRFs" : "CRFs";
  return [
    `Found: ${target == null ? "by proxies " : ""}VMAF ${two(choice.vmaf)}${rounds > 1 ? ` in ${rounds} rounds` : ""}.`,
    searched(choice),
    slope == null ? "" : `The next point of VMAF costs ${(slope / 1e6).toFixed(2)} Mbit.`,
    followers.length ? `The same ${same}: ${followers.map(short).join(", ")}.` : "",
  ].filter(Boolean).join(" ");
}

function searched({ proxy, shots }) {
  if (!proxy) return `${shots.length} chunks took ${shots.reduce((sum, { finals }) => sum + finals.length, 0)} encodes as they ship.`;
  const size = proxy.width ? `${proxy.width}×${proxy.height}, ` : "";
  return `Searched by preset ${proxy.preset} at ${size}CRF ${proxy.crfs.join(", ")}, 1 frame in ${proxy.every} scored.`;
}

function points(choice, shot) {
  const kinds = [["finals", "an encode as it ships"], ["proxies", "a proxy"], ["neighbours", "the curve"]];
  const rows = kinds.flatMap(([kind, told]) => shot[kind].map((point) => ({ ...point, told })));
  rows.sort((a, b) => a.crf - b.crf);
  return table(`Shot ${shot.number}: what is known of its curve`,
    ["CRF", "#Bit rate", "#VMAF", "#Worst shot", "Known by"],
    rows.map((row) => [
      row.crf === shot.crf ? h("strong", {}, `${row.crf}, taken`) : String(row.crf),
      bitrate(shot.rate(row.bits)), two(row.vmaf), two(row.worst), row.told,
    ]));
}

function crfPlot(shots, place) {
  const times = [...shots.map(({ from }) => from), shots.at(-1).to];
  const stepped = (of) => { const all = shots.map(of); return [...all, all.at(-1)]; };
  const crfs = stepped(({ crf }) => crf);
  const axis = axisStyle();
  const side = { ...axis, size: 46, labelSize: 18, labelFont: axis.font };
  const line = (label, scale, colour, words) => ({
    label, scale, stroke: css(colour), width: 2, points: { show: false }, value: (_, value) => words(value),
    paths: uPlot.paths.stepped({ align: 1 }),
  });
  return new uPlot({
    width: Math.max(place.clientWidth, 200), height: HEIGHT, padding: [14, 14, 0, 0],
    cursor: { points: { size: 7 }, y: false, drag: { x: true, y: false } },
    scales: { x: { time: false }, crf: { range: [Math.min(...crfs) - 1, Math.max(...crfs) + 1] }, vmaf: {} },
    axes: [
      timeAxis(axis), { ...side, scale: "crf", label: "CRF" },
      { ...side, scale: "vmaf", label: "VMAF", side: 1, grid: { show: false } },
    ],
    series: [
      { label: "Time", value: (_, value) => clock(value) },
      line("CRF", "crf", "--series-1", (value) => (value == null ? "–" : String(value))),
      line("VMAF of the shot", "vmaf", "--series-2", two),
    ],
  }, [times, crfs, stepped(({ likely }) => likely.vmaf)], place);
}

/** Rate and quality of one shot: proxies, encodes as they ship, the curve beside what was taken. */
function shotPlot(shot, place) {
  const near = [...shot.neighbours, shot.likely];
  const columns = [
    ["The curve", near, "--series-1", 0], ["Proxies", shot.proxies, "--series-2", 8],
    ["As it ships", shot.finals, "--series-3", 8], ["Taken", [shot.likely], "--series-4", 12],
  ].filter(([, all]) => all.length);
  return ratePlot(columns, ({ bits }) => shot.rate(bits), place);
}
