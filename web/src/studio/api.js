// Asks /v1, with the proof that this page signed in.
const PROOF = "matinee-csrf";

/** What the service refused, in its words; see docs/reference/api.md for the codes. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `the service answered ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.hint = problem.hint ?? "";
  }
}

export const proof = {
  get value() {
    try {
      return localStorage.getItem(PROOF) ?? "";
    } catch {
      return "";
    }
  },
  set value(text) {
    try {
      if (text) localStorage.setItem(PROOF, text);
      else localStorage.removeItem(PROOF);
    } catch {
      // Without storage a session lasts as long as nothing is done with it.
    }
  },
};

export async function ask(path, { method = "GET", body, signal } = {}) {
  const response = await send(path, method, body, signal);
  const text = await response.text();
  let found = null;
  try {
    found = text ? JSON.parse(text) : null;
  } catch {
    if (response.ok) throw new Refused(response.status, { detail: "the answer is no JSON" });
  }
  if (!response.ok) throw new Refused(response.status, found ?? {});
  return found;
}

export const act = (path, body = {}) => ask(path, { method: "POST", body });

/** One page of a list, and the address of the next one or null. */
export async function page(path, signal) {
  const response = await send(path, "GET", undefined, signal);
  const rows = await response.json();
  if (!response.ok) throw new Refused(response.status, rows);
  const next = /<([^>]+)>;\s*rel="next"/.exec(response.headers.get("link") ?? "");
  return { rows, next: next ? next[1] : null };
}

/** A POST that got no answer is made once more: its key lets it act only once. */
async function send(path, method, body, signal) {
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  if (method !== "GET") headers["x-matinee-csrf"] = proof.value;
  if (method === "POST") headers["idempotency-key"] = crypto.randomUUID();
  const options = { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) };
  try {
    return await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    if (method === "POST") return fetch(path, options);
    throw new Refused(0, { detail: "the service does not answer", hint: "is it still running?" });
  }
}

export const enc = encodeURIComponent;
