// The parts of a report, each from plain data to one section.
import { h } from "./dom.js";
import { bitrate, bytes, clock, count, date, fps, language, score, seconds } from "./format.js";
import { videoRenditions } from "./rungs.js";

export const panel = (name, words, ...children) =>
  h("section", { class: "panel" },
    h("div", { class: "panel-head" }, h("h2", {}, name), words ? h("p", {}, words) : null), children);

export function table(caption, heads, rows) {
  const cell = (value, index) => {
    const numeric = heads[index]?.startsWith("#");
    return h(index ? "td" : "th", { scope: index ? null : "row", class: numeric ? "number" : null }, value ?? "–");
  };
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    h("table", {},
      h("thead", {}, h("tr", {}, heads.map((head) =>
        h("th", { scope: "col", class: head.startsWith("#") ? "number" : null }, head.replace("#", ""))))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map(cell))))));
}

export function summary({ report, duration }) {
  const rungs = videoRenditions(report);
  const best = rungs.at(-1);
  const cpu = report.stages.reduce((sum, stage) => sum + stage.cpu_s, 0);
  const made = report.renditions.reduce((sum, rendition) => sum + (rendition.bytes ?? 0), 0);
  const tile = (words, value, more) =>
    h("div", { class: "tile" }, h("dt", {}, words), h("dd", {}, value), h("dd", { class: "small" }, more));
  return h("dl", { class: "tiles" },
    tile("Film", clock(duration), `${bytes(report.source.size_bytes)}, ${report.source.container}`),
    tile("Best rung", best ? `${best.height}p` : "–", best ? bitrate(best.bits_per_second) : ""),
    tile("VMAF, best rung", score(best?.vmaf?.mean), best?.vmaf ? `5th percentile ${score(best.vmaf.p5)}` : "not measured"),
    tile("Published", bytes(made), `${report.renditions.length} renditions, ${count(report.plan?.segments?.length)} segments`),
    tile("Work", seconds(cpu), duration ? `${(cpu / duration).toFixed(1)} processor seconds a second of film` : ""));
}

export function sources({ source }) {
  const shape = (track) => ({
    video: () => `${track.width}×${track.height}, ${fps(track.frame_rate)} fps, ${count(track.frames)} frames`,
    audio: () => `${track.layout || `${track.channels} channels`}, ${count(track.sample_rate)} Hz`,
  })[track.type]?.() ?? "";
  const rows = source.tracks.map((track) => [
    String(track.index), track.type, track.codec, shape(track),
    [track.language ? language(track.language) : "", track.title].filter(Boolean).join(" · ") || "–",
    [track.default && "default", track.forced && "forced", track.purpose].filter(Boolean).join(", ") || "–",
    seconds(track.duration),
  ]);
  return panel("What came in", `${source.container} · ${bytes(source.size_bytes)}`,
    table("Tracks of the source", ["Track", "Kind", "Codec", "Shape", "Language", "Flags", "#Length"], rows),
    h("p", { class: "fine" }, "SHA-256 ", h("code", {}, source.digest)));
}

export function made(report) {
  const video = report.renditions.filter((rendition) => rendition.type === "video");
  const other = report.renditions.filter((rendition) => rendition.type !== "video");
  const framesPerSecond = fps(report.plan?.frame_rate);
  const pictures = video.map((rendition) => [
    rendition.name, h("code", {}, rendition.codec), `${rendition.width}×${rendition.height}`, framesPerSecond,
    count(rendition.frames), bitrate(rendition.bits_per_second), bitrate(rendition.peak_bits_per_second),
    bytes(rendition.bytes), h("strong", {}, score(rendition.vmaf?.mean)), score(rendition.vmaf?.harmonic_mean),
    score(rendition.vmaf?.p5), score(rendition.vmaf?.min),
  ]);
  const sounds = other.map((rendition) => [
    rendition.name, rendition.type, h("code", {}, rendition.codec), language(rendition.language),
    rendition.channels ? `${rendition.channels}` : "–", bitrate(rendition.bits_per_second), bytes(rendition.bytes),
  ]);
  return panel("What was made", `${count(report.plan?.frames)} frames in ${count(report.plan?.segments?.length)} segments`,
    table("Video renditions", ["Rendition", "Codec", "Size", "#fps", "#Frames", "#Bit rate", "#Peak", "#Bytes",
      "#VMAF", "#Harmonic", "#p5", "#Min"], pictures),
    sounds.length ? table("Other renditions", ["Rendition", "Kind", "Codec", "Language", "#Channels", "#Bit rate", "#Bytes"], sounds) : null,
    report.encryption ? h("p", { class: "fine" }, `Pictures and sound are encrypted by ${report.encryption.scheme}, with the keys `,
      h("code", {}, Object.values(report.encryption.key_ids).join(" "))) : null);
}

const mark = (passed) => h("span", { class: `mark ${passed ? "good" : "bad"}` }, passed ? "✓ pass" : "✗ fail");

export function verdicts(report) {
  const judges = Map.groupBy
    ? Map.groupBy(report.verdicts, (verdict) => verdict.judge)
    : report.verdicts.reduce((map, verdict) => map.set(verdict.judge, [...(map.get(verdict.judge) ?? []), verdict]), new Map());
  const groups = [...judges].map(([judge, found]) => {
    const passed = found.filter((verdict) => verdict.passed).length;
    return h("details", { class: "judge", open: passed < found.length },
      h("summary", {}, mark(passed === found.length), h("span", { class: "judge-name" }, judge),
        h("span", { class: "judge-count" }, `${passed} of ${found.length}`)),
      found.map(oneVerdict));
  });
  return panel("Verdicts", "A title is published only when every one passed", h("div", { class: "judges" }, groups));
}

function oneVerdict(verdict) {
  const reasons = verdict.reasons.length
    ? h("ul", { class: "reasons" }, verdict.reasons.map((reason) => h("li", {}, reason))) : null;
  return h("details", { class: "verdict", open: !verdict.passed },
    h("summary", {}, mark(verdict.passed), h("span", {}, verdict.subject)),
    reasons, h("pre", { tabindex: "0" }, JSON.stringify(verdict.evidence, null, 2)));
}

export function tracks(report) {
  const rows = report.tracks.map((track) => [
    track.source,
    h("span", { class: `mark ${track.outcome === "published" ? "good" : "hold"}` }, track.outcome),
    track.renditions.join(", ") || "–",
    track.reason || track.note || "–",
  ]);
  return panel("Tracks ledger", "Every track of the source is published or waived by name",
    table("Tracks and what became of them", ["Source track", "Outcome", "Renditions", "Reason or note"], rows));
}

export function remarks(report) {
  const said = report.subtitle_remarks ?? [];
  if (!said.length) return null;
  const rows = said.map(({ name, told, mended }) => [name, told, mended ? "mended" : "as it is"]);
  return panel("Subtitles", "What is said of their cues, and what was done about it",
    table("Remarks on subtitles", ["Rendition", "Remark", "Done"], rows));
}

export function costs(report) {
  const most = Math.max(...report.stages.flatMap((stage) => [stage.wall_s, stage.cpu_s]), 0.001);
  const bar = (kind, value) => {
    const fill = h("span", { class: `fill ${kind}` });
    fill.style.setProperty("--share", `${Math.max(0.4, (100 * value) / most)}%`);
    return h("span", { class: "cost-bar" }, fill, h("span", { class: "cost-value" }, seconds(value)));
  };
  const stages = report.stages.map((stage) =>
    h("li", {}, h("span", { class: "cost-name" }, stage.name, h("small", {}, work(stage))),
      h("span", { class: "cost-bars" }, bar("wall", stage.wall_s), bar("cpu", stage.cpu_s))));
  const tools = Object.entries(report.tools ?? {}).map(([name, version]) => `${name} ${version}`).join(" · ");
  return panel("Cost", "Where the time went",
    h("p", { class: "key" }, h("span", { class: "swatch wall" }), "wall", h("span", { class: "swatch cpu" }), "CPU"),
    h("ul", { class: "costs" }, stages), tools ? h("p", { class: "fine" }, `Made with ${tools}`) : null);
}

function work({ ran, reused }) {
  const parts = [ran ? `${count(ran)} ran` : "", reused ? `${count(reused)} reused` : ""];
  return parts.filter(Boolean).join(", ");
}

export function history(title) {
  const path = `/titles/${encodeURIComponent(title.id)}`;
  const rows = title.packages.map((entry) => [
    entry.id === title.package ? h("code", {}, entry.id)
      : h("a", { href: `${path}?package=${encodeURIComponent(entry.id)}` }, h("code", {}, entry.id)),
    date(entry.made_at),
    h("span", { class: `mark ${entry.state === "ready" ? "good" : "bad"}` }, entry.state),
    entry.current ? "on screen" : "–",
    entry.id === title.package ? "shown here" : "–",
  ]);
  return panel("Packages", "Newest first; going back to an older one is one pointer",
    table("Packages of this title", ["Package", "Made", "State", "On screen", "Report"], rows));
}
