import { curves } from "./compare/curves.js";
import { frames } from "./compare/frames.js";
import { encodes, gains, headroom, shots, summary } from "./compare/sections.js";
import { overTime } from "./compare/times.js";

const found = JSON.parse(document.getElementById("comparison").textContent);
const body = document.getElementById("report-body");
body.removeAttribute("aria-busy");
for (const part of [summary, curves, gains, frames, overTime, shots, headroom, encodes]) {
  const drawn = part(found);
  if (!drawn) continue;
  body.append(drawn.element ?? drawn);
  drawn.draw?.(); // a plot needs its width, so it is drawn when it is in its place
}
