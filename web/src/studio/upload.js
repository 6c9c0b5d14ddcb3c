// Uploads by tus: drag and drop, several at once, each with its progress; they go on after a break.
import { Upload } from "tus-js-client";

import { h } from "../dom.js";
import { bytes, seconds } from "../format.js";
import { ask, proof } from "./api.js";
import { on } from "./live.js";
import { bar, field, head, nothing, panel, setBar, toast } from "./parts.js";
import { when } from "./words.js";

const PIECE = 32 * 2 ** 20;
const PAUSES = [0, 1000, 3000, 5000, 10000, 30000];
const TEXTS = /\.(srt|vtt|ass|ssa|ttml|dfxp|xml|sub)$/i;
/** Uploads of this page; they go on while other pages of the studio are looked at. */
const sending = new Set();

export async function show({ main, signal, session }) {
  const canUpload = session.may("upload");
  const files = h("input", { type: "file", multiple: true, id: "files", accept: "video/*,audio/*,.mkv,.mxf,.ts,.m2ts,.vob,.srt,.vtt,.ass,.ssa,.ttml,.dfxp" });
  const name = h("input", { type: "text", maxlength: "200", autocomplete: "off" });
  const credit = h("input", { type: "text", maxlength: "500", autocomplete: "off" });
  const priority = h("input", { type: "number", min: "-100", max: "100", step: "1", value: "0" });
  const mine = h("ul", { class: "rows" });
  const begin = (chosen) => {
    const { films, alone } = companies(chosen);
    const wishes = { credit: credit.value, priority: priority.value === "0" ? "" : priority.value, name: films.length === 1 ? name.value : "" };
    for (const { name: told } of alone) toast(`${told} belongs to no film here: choose it together with its film.`, "bad");
    for (const { file, texts } of films) {
      const item = new Sending(file, wishes, texts);
      sending.add(item);
      mine.append(item.element);
      item.start();
    }
    files.value = "";
  };
  files.addEventListener("change", () => begin([...files.files]));
  const zone = h("label", { class: "drop", for: "files" }, h("strong", {}, "Drop films here"), h("span", {}, "or choose files; subtitles with their film, such as film.de.srt"), files);
  let depth = 0;
  const over = (isOver) => zone.classList.toggle("over", isOver);
  zone.addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; over(true); });
  zone.addEventListener("dragleave", () => { depth -= 1; over(depth > 0); });
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    begin([...event.dataTransfer.files]);
  });
  const others = h("ul", { class: "rows" });
  const none = nothing("None.");
  main.append(head("Way in", "Upload"), canUpload
    ? panel("New", "What breaks off goes on where it was when you choose the same file again",
      zone, h("div", { class: "form" }, field("Name of the title", name, "Of one film; else the file's name"), field("Credit", credit), field("Priority", priority, "Higher goes first")), mine)
    : h("p", { class: "notice" }, h("a", { href: "/studio/sign-in?to=/studio/upload" }, "Sign in"), " to upload films."),
    panel("Not complete yet", "All uploads of this service", others, none));
  mine.append(...[...sending].map(({ element }) => element));
  const look = async () => {
    const open = await ask("/v1/uploads", { signal });
    none.hidden = open.length > 0;
    others.replaceChildren(...open.map((upload) => {
      const share = upload.size_bytes ? upload.offset_bytes / upload.size_bytes : 0;
      return h("li", { class: "run-row" }, h("strong", {}, upload.name), h("span", { class: "small" }, `${bytes(upload.offset_bytes)} of ${bytes(upload.size_bytes)}`), when(upload.changed_at), bar(share, upload.name));
    }));
  };
  await look();
  on("event", signal, (event) => event.type.startsWith("film.") && look().catch(() => {}));
  const timer = setInterval(() => look().catch(() => {}), 5000);
  signal.addEventListener("abort", () => clearInterval(timer));
}

/** Films with the subtitles that belong to them: by their names, or all of them to an only film. */
export function companies(chosen) {
  const films = chosen.filter(({ name }) => !TEXTS.test(name)).map((file) => ({ file, texts: [] }));
  const stem = ({ file: { name } }) => (name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : name);
  const longest = [...films].sort((a, b) => stem(b).length - stem(a).length);
  const alone = [];
  for (const text of chosen.filter(({ name }) => TEXTS.test(name))) {
    const own = films.length === 1 ? films[0] : longest.find((film) => text.name.startsWith(`${stem(film)}.`));
    if (own) own.texts.push(text);
    else alone.push(text);
  }
  return { films, alone };
}

class Sending {
  constructor(file, wishes, texts) {
    this.file = file;
    this.texts = texts;
    this.track = bar(0, `Upload of ${file.name}`);
    this.words = h("span", { class: "small", role: "status" });
    this.pause = h("button", { type: "button", class: "button quiet", click: () => this.toggle() }, "Pause");
    this.stop = h("button", { type: "button", class: "button quiet", click: () => this.remove(), "aria-label": `Cancel the upload of ${file.name}` }, "Cancel");
    this.element = h("li", { class: "run-row" }, h("strong", {}, [file.name, ...texts.map(({ name }) => name)].join(" + ")), this.words, this.track, h("span", { class: "acts" }, this.pause, this.stop));
    const metadata = Object.fromEntries(Object.entries({ filename: file.name, filetype: file.type, ...wishes }).filter(([, value]) => value));
    this.upload = new Upload(file, {
      endpoint: "/uploads",
      chunkSize: PIECE,
      retryDelays: PAUSES,
      removeFingerprintOnSuccess: true,
      metadata,
      headers: { "x-matinee-csrf": proof.value },
      onProgress: (sent, total) => this.tell(sent, total),
      onSuccess: () => this.done(),
      onError: (error) => this.failed(error),
    });
  }

  async start() {
    this.first = null;
    this.paused = false;
    const [earlier] = await this.upload.findPreviousUploads();
    if (earlier) this.upload.resumeFromPreviousUpload(earlier);
    else if (this.texts.length) {
      try {
        const ids = await Promise.all(this.texts.map(sendText));
        this.upload.options.metadata.subtitles = ids.join(",");
      } catch (error) {
        this.failed(error);
        return;
      }
    }
    if (!this.paused) this.upload.start();
  }

  toggle() {
    this.pause.textContent = this.paused ? "Pause" : "Go on";
    if (this.paused) {
      this.start();
      return;
    }
    this.paused = true;
    this.upload.abort();
    this.words.textContent = "Paused";
  }

  tell(sent, total) {
    this.first ??= [sent, performance.now()];
    const [from, at] = this.first;
    const speed = (sent - from) / Math.max(0.001, (performance.now() - at) / 1000);
    const left = speed > 0 && sent > from ? `, ${bytes(speed)} a second, about ${seconds((total - sent) / speed)} left` : "";
    this.words.textContent = `${bytes(sent)} of ${bytes(total)}${left}`;
    setBar(this.track, total ? sent / total : 1);
  }

  done() {
    sending.delete(this);
    setBar(this.track, 1);
    this.words.textContent = "Arrived";
    this.pause.remove();
    this.stop.remove();
    toast(`${this.file.name} arrived.`);
  }

  failed(error) {
    const body = error.originalResponse?.getBody();
    let told = {};
    try {
      told = JSON.parse(body || "{}");
    } catch {
      // Not from the service: the words of the client it is.
    }
    this.words.textContent = [told.detail ?? "The upload broke off", told.hint].filter(Boolean).join(". ");
    this.pause.textContent = "Go on";
    this.paused = true;
  }

  async remove() {
    sending.delete(this);
    await this.upload.abort(true).catch(() => {});
    this.element.remove();
  }
}

/** Sends a file of subtitles, which waits for its film; gives the id by which the film names it. */
function sendText(file) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(file, {
      endpoint: "/uploads",
      retryDelays: PAUSES,
      storeFingerprintForResuming: false,
      metadata: { filename: file.name, kind: "subtitles" },
      headers: { "x-matinee-csrf": proof.value },
      onSuccess: () => resolve(new URL(upload.url, location.href).pathname.split("/").pop()),
      onError: reject,
    });
    upload.start();
  });
}
