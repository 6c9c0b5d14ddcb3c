// How a comparison's figures are written.
export const signed = (value, digits = 1) =>
  value == null ? "–" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(digits)}`;

export const interval = (range, digits = 1) =>
  range?.low == null ? "–" : `${signed(range.low, digits)} to ${signed(range.high, digits)}`;

export const vmaf = (value) => (value == null ? "–" : value.toFixed(2));

export const sizeOf = (rung) => (rung.width ? `${rung.width}×${rung.height}` : "overall");

/** Good when B needs fewer bits for sure, bad when it needs more for sure. */
export function judged(range, lessIsBetter = true) {
  if (range?.low == null || (range.low <= 0 && range.high >= 0)) return "";
  return range.value < 0 === lessIsBetter ? "good" : "bad";
}
