// The dialog in which a voice is chosen: radio buttons, so arrows move and a screen reader counts.
//
// Events: `chosen` and `preview`, each with `detail.voice`; `hush` when a preview is not wanted any more.

import { languageName, voicesFound } from "./words.js";

const REST_MS = 350; // a pointer that rests so long on a preview's button wants to hear it

const GROUPS = {
  own: () => gettext("own"),
  shared: () => gettext("shared"),
  public: () => gettext("public"),
  "built-in": () => gettext("built in"),
};

export class VoicePicker extends EventTarget {
  constructor(dialog, voices, chosen) {
    super();
    Object.assign(this, { dialog, voices, chosen, group: "" });
    this.search = dialog.querySelector("[type=search]");
    this.list = dialog.querySelector("[role=radiogroup]");
    this.none = dialog.querySelector(".picker-none");
    this.said = dialog.querySelector("[role=status]");
    this.list.append(...voices.map((voice) => this.#option(voice)));
    this.search.addEventListener("input", () => this.#sift());
    this.search.addEventListener("keydown", (event) => {
      if (event.key !== "ArrowDown" && event.key !== "Enter") return;
      event.preventDefault();
      this.list.querySelector("div:not([hidden]) input")?.focus();
    });
    for (const chip of dialog.querySelectorAll("[data-group]")) {
      chip.addEventListener("click", () => this.#show(chip.dataset.group));
    }
    this.list.addEventListener("keydown", (event) => this.#press(event));
    dialog.addEventListener("close", () => this.#emit("hush"));
  }

  open() {
    this.dialog.showModal();
    const input = this.list.querySelector("input:checked");
    input?.scrollIntoView({ block: "center" });
    (this.voices.length > 20 ? this.search : input ?? this.search).focus();
  }

  #option(voice) {
    const [row, label, input, avatar, who, badge] = ["div", "label", "input", "span", "span", "span"].map((name) => document.createElement(name));
    Object.assign(input, { type: "radio", name: "picked", value: voice.id, checked: voice.id === this.chosen });
    avatar.className = "avatar";
    avatar.textContent = voice.name.slice(0, 1);
    avatar.setAttribute("aria-hidden", "true");
    who.className = "who";
    const [name, about] = [document.createElement("span"), document.createElement("small")];
    name.textContent = voice.name;
    about.textContent = [voice.description, voice.language && languageName(voice.language)].filter(Boolean).join(" · ");
    who.append(name, about);
    badge.className = "badge";
    badge.textContent = GROUPS[voice.group]();
    label.append(input, avatar, who, badge);
    row.className = "voice-option";
    row.append(label, this.#previewButton(voice));
    row.dataset.words = `${voice.name} ${about.textContent}`.toLocaleLowerCase();
    row.dataset.group = voice.group;
    label.addEventListener("click", (event) => event.detail > 0 && event.target === input && this.#choose(voice));
    return row;
  }

  #previewButton(voice) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet icon-only preview";
    button.tabIndex = -1; // the key P does the same for the voice under the cursor
    button.setAttribute("aria-label", interpolate(gettext("Preview of %s"), [voice.name]));
    button.append(document.getElementById("take-template").content.querySelector(".take-play .icon").cloneNode(true));
    let rest;
    button.addEventListener("pointerenter", (event) => {
      if (event.pointerType === "mouse") rest = setTimeout(() => this.#emit("preview", voice), REST_MS);
    });
    button.addEventListener("pointerleave", () => {
      clearTimeout(rest);
      this.#emit("hush");
    });
    button.addEventListener("click", () => {
      clearTimeout(rest);
      this.#emit("preview", voice);
    });
    return button;
  }

  #press(event) {
    const voice = this.voices.find(({ id }) => id === event.target.value);
    if (!voice) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.#choose(voice);
    } else if (event.key.toLowerCase() === "p" && !event.ctrlKey && !event.metaKey) this.#emit("preview", voice);
  }

  #choose(voice) {
    this.chosen = voice.id;
    this.dialog.close();
    this.#emit("chosen", voice);
  }

  #show(group) {
    this.group = group;
    for (const chip of this.dialog.querySelectorAll("[data-group].chip")) {
      chip.setAttribute("aria-pressed", String(chip.dataset.group === group));
    }
    this.#sift();
  }

  #sift() {
    const wanted = this.search.value.trim().toLocaleLowerCase();
    let found = 0;
    for (const row of this.list.children) {
      row.hidden = !row.dataset.words.includes(wanted) || (this.group !== "" && row.dataset.group !== this.group);
      found += row.hidden ? 0 : 1;
      // A hidden one that is checked would keep the others from being reached by Tab.
      row.querySelector("input").name = row.hidden ? "" : "picked";
    }
    this.none.hidden = found > 0;
    this.said.textContent = voicesFound(found);
  }

  #emit(name, voice) {
    this.dispatchEvent(new CustomEvent(name, { detail: { voice } }));
  }
}
