import shaka from "shaka-player/dist/shaka-player.ui-es2021.js";

import { h, loadTitle } from "./dom.js";
import { bitrate, clock, fps, language, score } from "./format.js";
import { bindings, helpDialog, listen } from "./keys.js";
import { NerdPanel } from "./nerd.js";
import { pictureLabel, renditionOf, videoRenditions } from "./rungs.js";

const PANEL = ["play_pause", "mute_volume", "time_and_duration", "spacer", "captions", "overflow_menu", "fullscreen"];
const MENU = ["quality", "language", "captions", "chapter", "playback_rate", "picture_in_picture"];
const AMBER = "rgb(245, 182, 66)";
const LOOK_MS = 5000;
const CLEAR_KEY = 'KEYFORMAT="org.w3.clearkey"';

/** Shaka Player knows no EXT-X-KEY of ClearKey, only those whose key it fetches by its address. */
function withIdentity(type, response) {
  if (type !== shaka.net.NetworkingEngine.RequestType.MANIFEST) return;
  const text = new TextDecoder().decode(response.data);
  if (!text.includes(CLEAR_KEY)) return;
  const changed = text.replace(/URI="\.\.\/\.\.\/clearkey",KEYID=0x([0-9A-F]{32}),KEYFORMAT="org\.w3\.clearkey"/g,
    (_, id) => `URI="../../keys/${id.toLowerCase()}.key",KEYFORMAT="identity"`);
  response.data = new TextEncoder().encode(changed).buffer;
}

/** One loudspeaker's sound of a language that has more is told apart from it; else "", as it is. */
function soundLabel(player, name, track, kind) {
  const isWider = (other) => other.language === track.language && other.channelsCount > 1;
  const isFolded = kind === "audio" && track.channelsCount === 1 && player.getAudioTracks().some(isWider);
  return name && isFolded ? `${name} (mono)` : "";
}

class Watch {
  /** ``isPreview``: of a title that is being made, what there is of its preview. */
  constructor(title, isPreview) {
    this.title = title;
    this.isPreview = isPreview;
    this.media = isPreview ? title.preview : title.media;
    this.query = new URLSearchParams(location.search);
    this.format = this.query.get("format") === "dash" ? "dash" : "hls";
    this.video = document.getElementById("video");
    this.container = document.getElementById("player");
    this.error = null;
    this.player = new shaka.Player();
    this.toast = this.makeToast();
    this.nerd = new NerdPanel({
      state: () => this.state(),
      report: title.report,
      close: () => this.toggleNerd(),
    });
  }

  async start() {
    const ui = new shaka.ui.Overlay(this.player, this.container, this.video);
    const small = window.matchMedia("(max-width: 720px)");
    ui.configure({
      controlPanelElements: small.matches ? PANEL.filter((name) => name !== "captions") : PANEL,
      overflowMenuButtons: MENU,
      showAudioCodec: false, // a language once, whatever it is coded in: the player takes what it can play
      customTrackLabel: (...told) => this.trackLabel(...told), // Shaka wants one without parameters
      topControlPanelElements: [],
      contextMenuElements: ["loop", "picture_in_picture"],
      seekBarColors: { played: AMBER, buffered: "rgba(255,255,255,.45)", base: "rgba(255,255,255,.22)",
        chapters: "rgb(9, 10, 14)" },
      volumeBarColors: { level: AMBER },
      enableKeyboardPlaybackControls: false, // keys.js has them for the whole page
      doubleClickForFullscreen: true,
      castSenderUrl: "",
      addSeekBar: true,
    });
    this.controls = ui.getControls();
    this.controls.addEventListener("resolutionselectionupdated", () => queueMicrotask(() => this.tellAuto()));
    await this.player.attach(this.video);
    this.player.configure({
      abr: { defaultBandwidthEstimate: 2e6, switchInterval: 4 },
      streaming: { bufferingGoal: 24, rebufferingGoal: 1, bufferBehind: 30 },
    });
    if (this.media?.licence) {
      const licence = new URL(this.media.licence, location.href).href;
      this.player.configure({ drm: { servers: { "org.w3.clearkey": licence } } });
      this.player.getNetworkingEngine().registerResponseFilter(withIdentity);
    }
    this.player.addEventListener("error", ({ detail }) => this.fail(detail));
    this.layOut(small);
    this.bindButtons();
    await this.load(Number(this.query.get("t")) || null);
    if (this.isPreview) this.awaitTitle();
    if (this.query.has("autoplay")) {
      this.video.muted = true;
      await this.video.play().catch(() => {});
    }
  }

  trackLabel(name, track, kind) {
    if (kind !== "video") return soundLabel(this.player, name, track, kind);
    return pictureLabel(this.title.report, this.player.getVariantTracks(), name, track);
  }

  /** Shaka Player asks for no label of what plays by its own choice. */
  tellAuto() {
    const place = this.container.querySelector(".shaka-current-auto-quality");
    const track = this.player.getVideoTracks().find(({ active }) => active);
    const label = place && track ? this.trackLabel(place.textContent, track, "video") : "";
    if (label) place.textContent = label;
  }

  layOut(small) {
    const [largest] = videoRenditions(this.title.report).reverse();
    const shape = largest ? largest.width / largest.height : 16 / 9;
    this.container.style.setProperty("--shape", String(shape));
    const place = () => {
      if (small.matches) document.getElementById("stage").after(this.nerd.element);
      else this.container.append(this.nerd.element);
    };
    small.addEventListener("change", place);
    place();
    const { report } = this.title;
    const rungs = videoRenditions(report);
    const languages = (type) => [...new Set((report?.renditions ?? [])
      .filter((rendition) => rendition.type === type && rendition.language)
      .map((rendition) => language(rendition.language)))].join(", ");
    const best = rungs.at(-1);
    const facts = [
      this.title.duration && clock(this.title.duration),
      best && `${best.width}×${best.height}`,
      report?.plan?.frame_rate && `${fps(report.plan.frame_rate)} fps`,
      rungs.length && `${rungs.length} rungs up to ${bitrate(best.bits_per_second)}`,
      best?.vmaf && `VMAF ${score(best.vmaf.mean)}`,
      languages("audio") && `Sound: ${languages("audio")}`,
      languages("subtitles") && `Subtitles: ${languages("subtitles")}`,
    ];
    document.getElementById("facts").replaceChildren(
      ...facts.filter(Boolean).map((fact) => h("span", {}, fact)));
  }

  bindButtons() {
    for (const button of document.querySelectorAll("[data-format]")) {
      button.addEventListener("click", () => this.switchFormat(button.dataset.format));
    }
    document.getElementById("nerd-button").addEventListener("click", () => this.toggleNerd());
    const table = bindings({
      video: this.video,
      player: this.player,
      controls: this.controls,
      toggleText: () => this.toggleText(),
      toggleNerd: () => this.toggleNerd(),
      showHelp: () => help.showModal(),
      toast: this.toast,
    });
    const help = helpDialog(table);
    document.body.append(help);
    document.getElementById("help-button").addEventListener("click", () => help.showModal());
    listen(table, help);
  }

  async load(time) {
    for (const button of document.querySelectorAll("[data-format]")) {
      button.setAttribute("aria-pressed", String(button.dataset.format === this.format));
    }
    this.failure?.remove();
    this.error = null;
    if (!this.media) {
      this.fail("it is gone");
      return;
    }
    try {
      // A preview grows: a player would begin at its end.
      await this.player.load(this.media[this.format], this.isPreview ? time ?? 0 : time);
      this.video.dataset.format = this.format;
      await this.addChapters();
    } catch (error) {
      this.fail(error);
    }
  }

  /** Chapters lie in the package beside its manifests; without them the film plays as well. */
  async addChapters() {
    if (!this.title.report?.chapters?.length || !this.title.current) return;
    const beside = new URL(this.media.hls, location.href);
    const uri = new URL(`packages/${this.title.current}/chapters.vtt`, beside);
    await this.player.addChaptersTrack(uri.href, "und", "text/vtt").catch((error) => console.warn(error));
  }

  /** Says so when the film itself is on screen; what plays goes on. */
  awaitTitle() {
    const timer = setInterval(async () => {
      if (document.hidden) return;
      const { media } = await loadTitle(this.title.id).catch(() => ({}));
      if (!media) return;
      clearInterval(timer);
      document.getElementById("preview-note").replaceChildren("The film is on screen by now: ",
        h("a", { href: `/watch/${encodeURIComponent(this.title.id)}` }, "watch it"), ".");
    }, LOOK_MS);
  }

  async switchFormat(format) {
    if (format === this.format) return;
    const { currentTime, paused } = this.video;
    this.format = format;
    this.query.set("format", format);
    history.replaceState(null, "", `?${this.query}`);
    await this.load(currentTime);
    if (!paused) await this.video.play().catch(() => {});
  }

  toggleNerd() {
    const shown = !this.nerd.shown;
    this.nerd.show(shown);
    document.getElementById("nerd-button").setAttribute("aria-pressed", String(shown));
  }

  toggleText() {
    const tracks = this.player.getTextTracks();
    if (!tracks.length) return "No subtitles";
    const active = tracks.find((track) => track.active);
    if (active && this.player.isTextTrackVisible?.() !== false) {
      this.lastText = active.id;
      this.player.selectTextTrack(null);
      return "Subtitles off";
    }
    const chosen = tracks.find((track) => track.id === this.lastText) ?? tracks[0];
    this.player.selectTextTrack(chosen);
    return `Subtitles: ${language(chosen.language)}`;
  }

  makeToast() {
    const element = h("div", { class: "toast", role: "status", "aria-live": "polite" });
    this.container.append(element);
    let timer;
    return (words) => {
      element.textContent = words;
      element.classList.add("shown");
      clearTimeout(timer);
      timer = setTimeout(() => element.classList.remove("shown"), 900);
    };
  }

  fail(error) {
    if (error?.code === shaka.util.Error.Code.LOAD_INTERRUPTED) return;
    if (error?.severity === shaka.util.Error.Severity.RECOVERABLE) return;
    this.error = error?.code ?? String(error);
    this.failure?.remove();
    this.failure = h("div", { class: "failure", role: "alert" },
      h("p", {}, `This title does not play as ${this.format.toUpperCase()} (player error ${this.error}).`),
      h("button", { type: "button", class: "button", click: () => this.load(null) }, "Try again"));
    this.container.append(this.failure);
  }

  /** What plays now, as plain data. */
  state() {
    const { video, player } = this;
    const stats = player.getStats();
    const track = player.getVariantTracks().find((variant) => variant.active) ?? null;
    const rendition = renditionOf(this.title.report, track);
    const text = player.getTextTracks().find((candidate) => candidate.active);
    const range = player.getBufferedInfo().total
      .find(({ start, end }) => start - 0.1 <= video.currentTime && video.currentTime <= end);
    return {
      format: this.format,
      time: video.currentTime,
      duration: video.duration,
      paused: video.paused,
      muted: video.muted,
      track,
      rung: track && {
        name: rendition?.name ?? null,
        width: track.width,
        height: track.height,
        codec: track.videoCodec,
        bandwidth: track.bandwidth,
        vmaf: rendition?.vmaf?.mean ?? null,
      },
      audio: track?.language ? language(track.language) : null,
      audio_language: track?.language ?? null,
      text_language: text?.language ?? null,
      buffer_s: range ? Math.max(0, range.end - video.currentTime) : 0,
      dropped: stats.droppedFrames || 0,
      decoded: stats.decodedFrames || 0,
      bandwidth: stats.estimatedBandwidth,
      error: this.error,
      is_growing: player.isLive() || player.isInProgress(),
      reach_s: player.seekRange().end,
    };
  }
}

async function main() {
  shaka.polyfill.installAll();
  const app = document.getElementById("app");
  if (!app) return;
  const watch = new Watch(await loadTitle(app.dataset.title), "preview" in app.dataset);
  window.matinee = { player: watch.player, state: () => watch.state() };
  if (shaka.Player.isBrowserSupported()) await watch.start();
  else watch.fail("this browser cannot play adaptive streams");
}

main().catch((error) => {
  document.getElementById("player")?.append(h("div", { class: "failure", role: "alert" }, String(error.message)));
});
