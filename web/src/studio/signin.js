// Signing in with a token, or by a link that the service printed.
import { h } from "../dom.js";
import { act, proof } from "./api.js";
import { field, head } from "./parts.js";

export async function show({ main, query, session, visit }) {
  const to = query.get("to") ?? "";
  // Only a path of our own: a link must not lead elsewhere.
  const back = /^\/(?![/\\])/.test(to) ? to : "/studio";
  const told = h("p", { class: "reason", role: "alert" });
  const token = h("input", { type: "password", autocomplete: "current-password", required: true, spellcheck: "false" });
  const enter = async (body) => {
    try {
      const opened = await act("/v1/session", body);
      proof.value = opened.csrf;
      await session.load();
      visit.go(back);
    } catch (error) {
      told.textContent = [error.message, error.hint].filter(Boolean).join(". ");
      token.focus();
    }
  };
  const form = h("form", { class: "form narrow" }, field("Token", token, "Printed at the first start of the service, or made with: matinee token add"),
    told, h("button", { class: "button", type: "submit" }, "Sign in"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    enter({ token: token.value.trim() });
  });
  main.append(head(null, "Sign in"), form);
  const code = /^#code=([\w-]+)$/.exec(location.hash)?.[1];
  if (code) {
    history.replaceState(null, "", location.pathname + location.search);
    await enter({ code });
  }
}
