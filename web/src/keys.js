// The keyboard: one table for what keys do and what the help says.
import { h } from "./dom.js";

export function bindings({ video, player, controls, toggleText, toggleNerd, showHelp, toast }) {
  const seek = (step) => {
    const end = Number.isFinite(video.duration) ? video.duration : 0;
    video.currentTime = Math.min(Math.max(0, video.currentTime + step), Math.max(0, end - 0.05));
    toast(`${step > 0 ? "+" : "−"}${Math.abs(step)} s`);
  };
  const louder = (step) => {
    video.muted = false;
    video.volume = Math.min(1, Math.max(0, Math.round((video.volume + step) * 100) / 100));
    toast(`Volume ${Math.round(video.volume * 100)} %`);
  };
  return [
    [[" ", "k"], "Play or pause", () => (video.paused ? video.play() : video.pause())],
    [["j"], "Back 10 seconds", () => seek(-10)],
    [["l"], "Forward 10 seconds", () => seek(10)],
    [["ArrowLeft"], "Back 5 seconds", () => seek(-5)],
    [["ArrowRight"], "Forward 5 seconds", () => seek(5)],
    [["ArrowUp"], "Louder", () => louder(0.1)],
    [["ArrowDown"], "Quieter", () => louder(-0.1)],
    [["m"], "Mute", () => {
      video.muted = !video.muted;
      toast(video.muted ? "Muted" : "Sound on");
    }],
    [["c"], "Subtitles", () => toast(toggleText())],
    [["f"], "Full screen", () => controls.toggleFullScreen()],
    [["i"], "Stats", toggleNerd],
    [["?"], "This help", showHelp],
  ];
}

const NAMES = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓" };

export function helpDialog(table) {
  const rows = table.map(([keys, words]) => [
    h("dt", {}, keys.flatMap((key, index) => [index ? " " : "", h("kbd", {}, NAMES[key] ?? key)])),
    h("dd", {}, words),
  ]);
  const dialog = h("dialog", { "aria-labelledby": "help-title" },
    h("h2", { id: "help-title" }, "Keyboard"), h("dl", {}, rows),
    h("form", { method: "dialog" }, h("button", { class: "button", autofocus: true }, "Close")));
  // A form's submission is forbidden by the content security policy; closing needs none.
  dialog.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close();
  });
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  return dialog;
}

/** Listens on the whole page, except where a key already means something. */
export function listen(table, dialog) {
  const actions = new Map(table.flatMap(([keys, , action]) => keys.map((key) => [key, action])));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open) return;
    const action = actions.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    const { target } = event;
    if (!action || target.closest("input:not([type=range]), textarea, select")) return;
    if (event.key === " " && target.closest("button, a, summary")) return;
    if (event.key.startsWith("Arrow") && target.closest(".shaka-overflow-menu, .shaka-settings-menu")) return;
    if (event.repeat && !event.key.startsWith("Arrow") && !"jl".includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }, { capture: true });
}
