import { choices } from "./choices.js";
import { h, loadTitle } from "./dom.js";
import { hulls } from "./hulls.js";
import { drawPlots } from "./plots.js";
import { costs, history, made, remarks, sources, summary, tracks, verdicts } from "./sections.js";

async function main() {
  const root = document.getElementById("report");
  const body = document.getElementById("report-body");
  const title = await loadTitle(root.dataset.title, root.dataset.package).catch((error) => error);
  body.removeAttribute("aria-busy");
  if (title instanceof Error) {
    body.append(h("p", { class: "notice", role: "alert" }, title.message));
    return;
  }
  const { report } = title;
  if (!report) {
    body.append(h("p", { class: "notice" }, "Nothing was made of this title yet."));
    return;
  }
  const failed = report.verdicts.filter((verdict) => !verdict.passed);
  document.getElementById("verdict-badge").append(failed.length
    ? h("span", { class: "badge bad" }, `${failed.length} of ${report.verdicts.length} verdicts failed`)
    : h("span", { class: "badge good" }, `All ${report.verdicts.length} verdicts passed`));
  const quality = h("div", { class: "plot", id: "plot-vmaf" });
  const rates = h("div", { class: "plot", id: "plot-bits" });
  const chosen = [...hulls(report), ...choices(report)];
  body.append(...[
    summary(title),
    sources(report),
    made(report),
    section("Quality over time", "VMAF of every second, on what ships", quality),
    section("Bits over time", "Bit rate of every segment", rates),
    ...chosen.map(({ element }) => element),
    verdicts(report),
    tracks(report),
    remarks(report),
    costs(report),
    history(title),
  ].filter(Boolean));
  drawPlots(report, quality, rates);
  chosen.forEach(({ draw }) => draw());
}

function section(name, words, plot) {
  return h("section", { class: "panel" },
    h("div", { class: "panel-head" }, h("h2", {}, name), h("p", {}, words)), plot);
}

main();
