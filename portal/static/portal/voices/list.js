// The list of voices: a button plays a preview, which speaks one sentence, once a visit.

import { toast } from "../toast.js";
import { Previews } from "../studio/previews.js";
import { sentence, voicesFound } from "../studio/words.js";
import { nameLanguages } from "./languages.js";

const place = document.getElementById("preview");
const token = place.querySelector("[name=csrfmiddlewaretoken]").value;
const previews = new Previews(place.dataset.url, token, Number(place.dataset.rate));
const [stop, play] = place.querySelectorAll(".icon");
let playing = null;

function show(button) {
  playing?.replaceChildren(play.cloneNode(true));
  playing?.setAttribute("aria-pressed", "false");
  playing = button;
  playing?.replaceChildren(stop.cloneNode(true));
  playing?.setAttribute("aria-pressed", "true");
}

document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-preview]");
  if (!button) return;
  const wasPlaying = button === playing;
  previews.stop();
  show(null);
  if (wasPlaying) return;
  show(button);
  await previews.play(button.dataset.preview).catch((error) => {
    show(null);
    toast(sentence(error), "error");
  });
});
previews.player.addEventListener("ended", () => show(null));
document.addEventListener("htmx:afterSwap", () => {
  nameLanguages();
  const found = document.querySelector(".voice-cards")?.dataset.count ?? 0;
  document.getElementById("status").textContent = voicesFound(Number(found));
});
addEventListener("pagehide", () => previews.stop());
