// One stream for the whole studio. What comes is told as events: event, run, numbers, state.
export const live = new EventTarget();
let source = null;
let timer = null;
let state = "off";

export const liveState = () => state;

export function connect() {
  clearTimeout(timer);
  source?.close();
  source = new EventSource("/v1/stream");
  for (const kind of ["event", "run", "numbers", "gap"]) {
    source.addEventListener(kind, ({ data }) => tell(kind, JSON.parse(data)));
  }
  source.addEventListener("open", () => change("on"));
  source.addEventListener("error", () => {
    change("off");
    // The browser asks again by itself, unless it was refused.
    if (source.readyState === EventSource.CLOSED) timer = setTimeout(connect, 5000);
  });
}

export function disconnect() {
  clearTimeout(timer);
  source?.close();
  change("off");
}

/** Listens until the page is left. */
export function on(kind, signal, listener) {
  live.addEventListener(kind, ({ detail }) => listener(detail), { signal });
}

function change(next) {
  if (next === state) return;
  state = next;
  tell("state", state);
}

const tell = (kind, detail) => live.dispatchEvent(new CustomEvent(kind, { detail }));
