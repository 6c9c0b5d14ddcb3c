// Numbers as people read them.
const number = (value, digits) =>
  value.toLocaleString("en", { maximumFractionDigits: digits, minimumFractionDigits: digits });

export const count = (value) => (value == null ? "–" : value.toLocaleString("en"));

export function bitrate(bits) {
  if (bits == null || !Number.isFinite(bits)) return "–";
  if (bits >= 1e6) return `${number(bits / 1e6, bits >= 1e7 ? 1 : 2)} Mbit/s`;
  if (bits >= 1e3) return `${number(bits / 1e3, 0)} kbit/s`;
  return `${number(bits, 0)} bit/s`;
}

export function bytes(size) {
  if (size == null) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, size < 1 ? 0 : Math.floor(Math.log10(size) / 3));
  return `${number(size / 1000 ** power, power && size / 1000 ** power < 100 ? 1 : 0)} ${units[power]}`;
}

export function clock(seconds) {
  if (seconds == null) return "–";
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const padded = String(rest).padStart(2, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${padded}` : `${minutes}:${padded}`;
}

export function seconds(value) {
  if (value == null) return "–";
  if (value >= 3600) return `${number(value / 3600, 1)} h`;
  if (value >= 120) return `${number(value / 60, 1)} min`;
  return `${number(value, value < 10 ? 2 : 1)} s`;
}

export const score = (value) => (value == null ? "–" : number(value, 1));

/** Frames per second from ``24000/1001`` or a number. */
export function rate(value) {
  if (value == null) return null;
  const [over, under = 1] = String(value).split("/").map(Number);
  return over / under;
}

export const fps = (value) => (value == null ? "–" : `${Number(rate(value).toFixed(3))}`);

const two = (value) => String(value).padStart(2, "0");

/** A day as ISO 8601 has it, in the zone of who looks. */
export const day = (at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;

/** A time of the day, of 24 hours. */
export const time = (at, withSeconds = false) =>
  [at.getHours(), at.getMinutes(), ...(withSeconds ? [at.getSeconds()] : [])].map(two).join(":");

export function date(text, withSeconds = false) {
  const when = new Date(text);
  if (Number.isNaN(when.getTime())) return text ?? "–";
  return `${day(when)} ${time(when, withSeconds)}`;
}

const languages = new Intl.DisplayNames(["en"], { type: "language" });

export function language(code) {
  if (!code || code === "und") return "unspecified";
  try {
    return languages.of(code);
  } catch {
    return code;
  }
}
