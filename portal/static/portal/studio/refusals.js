// Why speech was refused: which field of a form is to blame, by the name that it has on the page,
// what it takes, and what to do. What is about no field `words.js` knows.

import { sentence } from "./words.js";

const locale = document.documentElement.lang || "en";
const KNOWN = {
  "invalid_value input": () => gettext("This text cannot be spoken as it is. Take out unusual signs, shorten it and the instructions, or choose another voice."),
  "invalid_value voice": () => gettext("This voice cannot be spoken with as it is. Choose another one, or record it anew."),
  "unsupported_by_model input": () => gettext("The model that runs cannot pronounce this text. Write it in other letters, or ask the operators for a model that can, such as VoxCPM2."),
  "unsupported_by_model voice": () => gettext("The model that runs cannot speak with this voice. Choose another one, or ask the operators for a model that can, such as VoxCPM2."),
  "unsupported_by_model language": () => gettext("The model that runs does not speak this language. Choose another one, or ask the operators for a model that does, such as VoxCPM2."),
};

// `refusal` is of a request whose fields are called as those of `form` are.
export function reason(refusal, form) {
  const { code, param } = refusal;
  const known = KNOWN[`${code} ${param}`];
  if (known) return known();
  const field = form.elements.namedItem(param ?? "");
  return code === "invalid_value" && nameOf(field) ? expected(field) : sentence(refusal);
}

// What was sent and not used, as the answer's `warning` header tells it.
export function unused(warning, form) {
  const notes = warning.replace(/^299 - "|"$/g, "").split("; ");
  return notes.map((note) => {
    const [, param, model] = note.match(/^(\w+) is not used by (.+)$/) ?? [];
    const field = form.elements.namedItem(param ?? "");
    return nameOf(field) ? filled(gettext("“%(field)s” is not used by %(model)s."), field, { model }) : note;
  }).join(" ");
}

function expected(field) {
  const [low, high] = [field.min || field.dataset.min, field.max || field.dataset.max];
  if (low && high) {
    return filled(gettext("“%(field)s” takes a number from %(low)s to %(high)s. Change it."), field, { low: shown(low), high: shown(high) });
  }
  if (field.maxLength > 0) {
    return filled(gettext("“%(field)s” takes text of at most %(most)s characters. Shorten it, and take out unusual signs."), field, { most: shown(field.maxLength) });
  }
  return filled(gettext("“%(field)s” is not accepted as it is. Choose something else."), field);
}

// The first words of its label, where it has one.
function nameOf(field) {
  return [...(field?.labels?.[0]?.childNodes ?? [])].map((part) => part.textContent.trim()).find(Boolean);
}

function filled(words, field, values = {}) {
  return interpolate(words, { ...values, field: nameOf(field) }, true);
}

function shown(value) {
  return (Number.isSafeInteger(Number(value)) || !/^\d+$/.test(value) ? Number(value) : BigInt(value)).toLocaleString(locale);
}
