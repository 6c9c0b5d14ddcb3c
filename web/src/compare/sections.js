// The tables of a comparison.
import { h } from "../dom.js";
import { bitrate, clock, count, rate, seconds } from "../format.js";
import { panel, table } from "../sections.js";
import { interval, judged, signed, sizeOf, vmaf } from "./words.js";

export function summary(found) {
  const { overall, cpu, compared, film, a, b } = found;
  const tile = (words, value, more, kind = "") =>
    h("div", { class: `tile ${kind}` }, h("dt", {}, words), h("dd", {}, value), h("dd", { class: "small" }, more));
  const bits = overall.bd_rate;
  const first = found.differences.at(-1);
  const tiles = bits
    ? [
        tile("BD-rate, overall", `${signed(bits.value)} %`,
          bits.low == null ? "too few shots for an interval" : `95 %: ${interval(bits)} %`, judged(bits)),
        tile("BD-VMAF, overall", signed(overall.bd_vmaf, 2), `from VMAF ${vmaf(overall.from_vmaf)} to ${vmaf(overall.to_vmaf)}`),
      ]
    : [];
  if (first && !bits) {
    tiles.push(
      tile("Bits", `${signed(first.bits.value)} %`, `95 %: ${interval(first.bits)} %`),
      tile("VMAF", signed(first.vmaf.value, 2), `95 %: ${interval(first.vmaf, 2)}`, judged(first.vmaf, false)),
    );
  }
  if (cpu.ratio != null) {
    tiles.push(tile("CPU of encoding", `${cpu.ratio.toFixed(2)}×`, `A ${seconds(cpu.a)}, B ${seconds(cpu.b)} a second of film`));
  }
  tiles.push(tile("Compared", clock(compared.duration),
    `of ${clock(film.duration)}, ${count(compared.shots)} shots, ${count(compared.frames)} frames`));
  return h("div", {},
    h("p", { class: "sides" }, side("A", a), side("B", b), h("span", { class: "film" }, "on ", h("strong", {}, film.file.split("/").at(-1)),
      ` ${film.width}×${film.height}`)),
    h("dl", { class: "tiles" }, tiles));
}

function side(letter, { name, kind, codec, preset, capped }) {
  const words = kind === "ladder" ? `${codec}, ${preset}${capped ? "" : ", uncapped"}` : "files";
  return h("span", { class: `side side-${letter.toLowerCase()}` }, h("b", {}, letter), h("strong", {}, name), ` ${words}`);
}

export function gains(found) {
  const rows = [found.overall, ...found.rungs].map((rung) => [
    sizeOf(rung),
    rung.bd_rate ? h("span", { class: `mark ${judged(rung.bd_rate)}` }, `${signed(rung.bd_rate.value, 2)} %`) : rung.why,
    interval(rung.bd_rate, 2),
    signed(rung.bd_vmaf, 2),
    rung.bd_rate ? `${vmaf(rung.from_vmaf)} to ${vmaf(rung.to_vmaf)}` : "–",
  ]);
  const differences = found.differences.map(({ a, b, bits, vmaf: quality }) => [
    `${b} beside ${a}`, `${signed(bits.value)} %`, interval(bits), signed(quality.value, 2), interval(quality, 2),
  ]);
  return panel("B beside A", "Bits at equal quality; less than 0: B needs fewer",
    table("Gains by rung", ["Rung", "#BD-rate", "#95 % interval", "#BD-VMAF", "#VMAF in common"], rows),
    table("Encode by encode", ["As they are", "#Bits", "#95 % interval", "#VMAF", "#95 % interval"], differences),
    h("p", { class: "fine" },
      "Overall is along the convex hull of all rungs of a side. An interval comes from ",
      `${count(found.interval.resamples)} resamples of the shots: what other shots of such a film would be likely to give.`));
}

export function encodes(found) {
  const rows = ["a", "b"].flatMap((letter) => found[letter].encodes.map((encode) => [
    h("span", { class: `side side-${letter}` }, h("b", {}, letter.toUpperCase()), ` ${encode.name}`),
    sizeOf(encode), bitrate(encode.bits_per_second), h("strong", {}, vmaf(encode.vmaf.harmonic_mean)), vmaf(encode.vmaf.mean),
    vmaf(encode.vmaf.p5), vmaf(encode.vmaf.min), encode.on_hull ? "yes" : "–", seconds(encode.cpu_s),
  ]));
  return panel("All encodes", "VMAF at the film's own size, every frame",
    table("All encodes", ["Encode", "Size", "#Bit rate", "#VMAF, harmonic", "#Mean", "#p5", "#Min", "#On the hull", "#CPU"], rows),
    h("p", { class: "fine" }, `libvmaf in ffmpeg ${found.quality.ffmpeg}; pieces chosen by seed ${found.compared.seed}`));
}

export function shots(found) {
  const fps = rate(found.film.frame_rate);
  const rows = found.shots.map(({ start, end, a, b, bd_rate }) => [
    `${clock(start / fps)} – ${clock(end / fps)}`, count(end - start), vmaf(a.vmaf), vmaf(b.vmaf), signed(b.vmaf - a.vmaf, 2),
    bitrate(a.bits_per_second), bitrate(b.bits_per_second), bd_rate == null ? "–" : `${signed(bd_rate)} %`,
  ]);
  return panel("Shot by shot", `${found.pair.a} beside ${found.pair.b}; BD-rate over all encodes`,
    table("All shots", ["Shot", "#Frames", "#VMAF A", "#VMAF B", "#B − A", "#Bits A", "#Bits B", "#BD-rate"], rows));
}

export function headroom(found) {
  const sides = ["a", "b"].filter((letter) => found[letter].headroom);
  if (!sides.length) return null;
  const named = (letter) => h("span", { class: `side side-${letter}` }, h("b", {}, letter.toUpperCase()), ` ${found[letter].name}`);
  const gained = sides.map((letter) => [
    named(letter), `${signed(found[letter].headroom.crf_per_shot)} %`, `${signed(found[letter].headroom.size_per_shot)} %`,
    count(found[letter].headroom.rungs.length),
  ]);
  const rungs = sides.flatMap((letter) => found[letter].headroom.rungs.map((rung) => [
    named(letter), sizeOf(rung), bitrate(rung.bits_per_second), vmaf(rung.vmaf),
  ]));
  return panel("What is left on the table", "Bits at equal quality, beside one CRF for each rung; interpolated between the encodes",
    table("Gains of a choice per shot", ["Side", "#A CRF for each shot", "#A size as well", "#Rungs needed"], gained),
    h("details", { class: "judge" }, h("summary", {}, h("span", { class: "judge-name" }, "Rungs that this film needs"),
      h("span", { class: "judge-count" }, "a VMAF of 6 apart, or twice the bits")),
      table("Rungs", ["Side", "Size", "#Bit rate", "#VMAF"], rungs)));
}
