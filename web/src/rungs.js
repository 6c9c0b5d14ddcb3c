// The rungs that a report tells of, and which of them plays.
import { bitrate, rate } from "./format.js";

const family = (codec) => (codec ?? "").split(".")[0].replace("avc3", "avc1").replace("hev1", "hvc1");

export function videoRenditions(report) {
  return (report?.renditions ?? [])
    .filter((rendition) => rendition.type === "video")
    .sort((a, b) => a.bits_per_second - b.bits_per_second);
}

/** Playlists of HLS are named after their renditions; of DASH no name is known. */
const nameOf = (track) => /([^/]+)\.m3u8$/.exec(track.originalVideoId ?? "")?.[1];

/** The rendition that a player's track shows: by name, else same codec, range and height, nearest bit rate. */
export function renditionOf(report, track) {
  if (!track) return null;
  const named = videoRenditions(report).find(({ name }) => name === nameOf(track));
  if (named) return named;
  const same = videoRenditions(report)
    .filter((rendition) => rendition.height === track.height)
    .filter((rendition) => !track.hdr || !rendition.video_range || rendition.video_range === track.hdr);
  const exact = same.filter((rendition) => family(rendition.codec) === family(track.videoCodec));
  const bandwidth = track.videoBandwidth || track.bandwidth || 0;
  // Manifests tell peaks, and of one size there may be several.
  const distance = ({ bits_per_second: average, peak_bits_per_second: peak = average }) =>
    Math.min(Math.abs(average - bandwidth), Math.abs(peak - bandwidth));
  return (exact.length ? exact : same).sort((a, b) => distance(a) - distance(b))[0] ?? null;
}

const RATE = / \([\d.]+ [KM]bps\)$/;

/**
 * What a menu calls a picture track. Shaka Player tells rungs of one size apart by what manifests
 * say, which in HLS is with sound; here they have the rung's own rate. Else "": as it is.
 */
export function pictureLabel(report, variants, name, track) {
  const size = name.replace(RATE, "");
  const variant = variants.find((one) => one.height === track.height && one.videoCodec === track.codecs
    && (one.videoBandwidth || one.bandwidth) === track.bandwidth);
  const rendition = size === name ? null : renditionOf(report, variant);
  return rendition ? `${size} · ${bitrate(rendition.bits_per_second)}` : "";
}

/** Start, end and bits of every segment of a rendition, in seconds. */
export function segmentsOf(report, rendition) {
  const framesPerSecond = rate(report?.plan?.frame_rate);
  const spans = report?.plan?.segments ?? [];
  const bits = rendition?.segment_bits ?? [];
  if (!framesPerSecond || spans.length !== bits.length) return [];
  return spans.map(({ start, end }, index) => ({
    start: start / framesPerSecond,
    end: end / framesPerSecond,
    bits: bits[index],
  }));
}
