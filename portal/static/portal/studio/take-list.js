// The takes of this visit, newest first: played again, repeated with another seed, downloaded.
//
// Events: `play`, `again`, and `download` (`detail.format`), each with `detail.take`.

import { number } from "./words.js";

const MOST = 12;

export class TakeList extends EventTarget {
  constructor(list, empty, menu) {
    super();
    Object.assign(this, { list, empty, menu, rows: new Map() });
    this.template = document.getElementById("take-template");
    menu.addEventListener("click", ({ target }) => {
      if (!target.dataset.format) return;
      menu.hidePopover();
      this.#emit("download", this.menuFor, target.dataset.format);
    });
    menu.addEventListener("toggle", ({ newState }) => {
      this.opener?.setAttribute("aria-expanded", String(newState === "open"));
      if (newState === "open") menu.querySelector("button").focus();
    });
    menu.addEventListener("keydown", (event) => this.#move(event));
  }

  add(take, format) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    row.querySelector(".take-text").textContent = take.request.input;
    row.querySelector(".take-format").textContent = format;
    row.querySelector(".take-play").addEventListener("click", () => this.#emit("play", take));
    row.querySelector(".take-again").addEventListener("click", () => this.#emit("again", take));
    row.querySelector(".take-download").addEventListener("click", () => this.#emit("download", take, format));
    row.querySelector(".take-formats").addEventListener("click", ({ currentTarget }) => this.#open(currentTarget, take));
    this.rows.set(take, row);
    this.list.prepend(row);
    for (const oldest of [...this.rows.keys()].slice(0, Math.max(0, this.rows.size - MOST))) this.remove(oldest);
    this.tell(take);
  }

  remove(take) {
    this.rows.get(take)?.remove();
    this.rows.delete(take);
    this.empty.hidden = this.rows.size > 0;
  }

  // What is known of it by now.
  tell(take) {
    const row = this.rows.get(take);
    if (!row) return;
    const { voiceName, seed, hasSeeds } = take;
    const facts = [voiceName, interpolate(gettext("%s s"), [number(take.seconds, 1)])];
    if (seed) facts.push(interpolate(gettext("seed %s"), [seed]));
    if (take.underruns) facts.push(gettext("paused to wait for more"));
    row.querySelector(".take-facts").textContent = facts.join(" · ");
    row.querySelector(".take-again").hidden = !hasSeeds;
    for (const button of row.querySelectorAll(".download button")) button.disabled = !take.id;
    this.empty.hidden = true;
  }

  // Which of them is in the player.
  current(take) {
    for (const [one, row] of this.rows) row.classList.toggle("current", one === take);
  }

  #open(button, take) {
    this.opener = button;
    this.menuFor = take;
    this.menu.showPopover({ source: button });
    const box = button.getBoundingClientRect();
    this.menu.style.left = `${Math.max(8, box.right - this.menu.offsetWidth)}px`;
    this.menu.style.top = `${Math.min(box.bottom + 4, innerHeight - this.menu.offsetHeight - 8)}px`;
  }

  #move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...this.menu.querySelectorAll("button")];
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length].focus();
  }

  #emit(name, take, format) {
    this.dispatchEvent(new CustomEvent(name, { detail: { take, format } }));
  }
}
