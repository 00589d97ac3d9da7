// A short message at the edge of the page, read out by screen readers. Errors stay until dismissed.

const SHOWN_MS = 6000;

export function toast(sentence, kind = "info") {
  const place = document.getElementById("toasts");
  const shown = document.createElement("div");
  shown.className = `toast ${kind}`;
  const words = document.createElement("span");
  words.textContent = sentence;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "×";
  button.setAttribute("aria-label", place.dataset.dismiss);
  button.dataset.dismissToast = "";
  shown.append(words, button);
  place.append(shown);
  if (kind !== "error") setTimeout(() => shown.remove(), SHOWN_MS);
  return shown;
}
