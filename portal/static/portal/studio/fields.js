// The form as a request: what is empty is left to the server.

import { Refusal } from "./speaking.js";

const NUMBERS = ["speed", "cfg_value", "inference_timesteps"];
const WORDS = ["model", "language", "instructions"];

export class Fields {
  constructor(form) {
    this.form = form;
    this.seed = form.elements.seed;
    this.lock = form.querySelector("#lock");
    this.lock.addEventListener("click", () => this.keep(!this.isKept));
    this.seed.addEventListener("input", () => this.keep(this.seed.value !== ""));
    const { speed } = form.elements;
    speed.addEventListener("input", () => (form.querySelector("#speed-shown").value = `${speed.value}×`));
  }

  // Whether the next take is made with the seed that is shown.
  get isKept() {
    return this.lock.getAttribute("aria-pressed") === "true";
  }

  keep(is) {
    this.lock.setAttribute("aria-pressed", String(is));
  }

  get text() {
    return this.form.elements.input.value;
  }

  get format() {
    return this.form.elements.response_format.value;
  }

  // Raises a Refusal that names a field which cannot be sent.
  request() {
    const { elements } = this.form;
    const bad = [...elements].find((element) => element.willValidate && !element.validity.valid);
    if (bad) throw new Refusal("invalid_value", "", { param: bad.name });
    const given = { input: this.text, voice: elements.voice.value };
    for (const name of WORDS) if (elements[name].value.trim()) given[name] = elements[name].value;
    for (const name of NUMBERS) if (elements[name].value) given[name] = Number(elements[name].value);
    if (!elements.normalize.checked) given.normalize = false;
    if (this.isKept && this.seed.value) given.seed = BigInt(this.seed.value);
    return given;
  }

  // As an earlier request was; its seed is kept.
  fill(request) {
    for (const [name, value] of Object.entries(request)) {
      const field = this.form.elements[name];
      if (field?.type === "checkbox") field.checked = value;
      else if (field) field.value = value;
      field?.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}
