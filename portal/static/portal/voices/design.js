// A voice in words: candidates to compare, of which one is kept.

import { number } from "../studio/words.js";
import { keepFocus, post } from "./sending.js";

export class Design {
  constructor(root, url, token, fail) {
    Object.assign(this, { root, url, token, fail, draft: null });
    [this.description, this.text, this.button, this.list, this.said] = [
      "#design-description", "#design-text", "#hear-candidate", "#candidates", "#candidate-said",
    ].map((selector) => root.querySelector(selector));
    this.button.addEventListener("click", () => this.#hear());
  }

  // The number of the candidate that is chosen, if any.
  get chosen() {
    return this.list.querySelector(":checked")?.value ?? null;
  }

  keep(name, language) {
    const about = language ? { name, language } : { name };
    return post(`${this.url}/${this.draft.id}/candidates/${this.chosen}/keep`, this.token, about);
  }

  async #hear() {
    this.button.disabled = true;
    this.button.setAttribute("aria-busy", "true");
    try {
      this.#show(await this.#speak());
    } catch (error) {
      this.fail(error);
    } finally {
      this.button.disabled = false;
      this.button.removeAttribute("aria-busy");
      keepFocus(this.button);
    }
  }

  // Another description is another draft.
  async #speak() {
    const wanted = { description: this.description.value.trim() };
    if (this.text.value.trim()) wanted.text = this.text.value.trim();
    if (this.draft && JSON.stringify(this.draft.wanted) === JSON.stringify(wanted)) {
      return post(`${this.url}/${this.draft.id}/candidates`, this.token, {});
    }
    const draft = await post(this.url, this.token, wanted);
    this.draft = { id: draft.id, wanted };
    for (const row of this.list.querySelectorAll(".candidate")) row.remove();
    return draft.candidates[0];
  }

  #show({ number: at, seconds, seed }) {
    const [label, input, words, audio] = ["label", "input", "span", "audio"].map((name) => document.createElement(name));
    Object.assign(input, { type: "radio", name: "candidate", value: at, checked: true });
    words.textContent = interpolate(gettext("Candidate %s"), [at]) + ` · ${interpolate(gettext("%s s"), [number(seconds, 1)])} · ${interpolate(gettext("seed %s"), [seed])}`;
    this.said.textContent = words.textContent;
    Object.assign(audio, { controls: true, src: `${this.url}/${this.draft.id}/candidates/${at}/audio` });
    audio.setAttribute("aria-label", interpolate(gettext("Candidate %s"), [at]));
    label.append(input, words);
    const row = document.createElement("div");
    row.className = "candidate";
    row.append(label, audio);
    this.list.append(row);
    audio.play().catch(() => {}); // some browsers want a click of its own
  }
}
