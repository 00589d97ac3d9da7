// Makes a voice: recorded, uploaded or designed; with its owner's consent, as the policy asks.

import { Refusal } from "../studio/speaking.js";
import { languageName } from "../studio/words.js";
import { Design } from "./design.js";
import { Recorder } from "./recorder.js";
import { reason } from "./refusals.js";
import { keepFocus, send } from "./sending.js";

const $ = (id) => document.getElementById(id);
const form = $("new-voice");
const { url, consents, designs, policy, bytes } = form.dataset;
const token = form.elements.csrfmiddlewaretoken.value;
const readings = JSON.parse($("readings").textContent);
const pageLanguage = document.documentElement.lang.split("-")[0];

let file = null;
let reading = 0;
let phrase = null;
let consent = null; // sent for the voice that is being made; once it is given it need not be again

const way = () => form.elements.way.value;
const language = () => form.elements.language?.value ?? "";

// -- which way

function turn() {
  for (const section of form.querySelectorAll("[data-way]")) section.hidden = section.dataset.way !== way();
  for (const part of form.querySelectorAll("[data-not-for]")) part.hidden = part.dataset.notFor === way();
  hideError();
}

for (const radio of form.elements.way) radio.addEventListener("change", turn);

// -- recording

const recorder = new Recorder(form.querySelector("[data-purpose=voice]"));

function texts() {
  return readings[language().split("-")[0] || pageLanguage] ?? [];
}

function offer() {
  const all = texts();
  const text = all.length ? all[reading % all.length] : "";
  recorder.read(text || gettext("Read anything you like in that language, for five to twelve seconds."));
  if (!recorder.blob) form.elements.transcript.value = "";
}

recorder.addEventListener("another", () => {
  reading += 1;
  offer();
});
recorder.addEventListener("recorded", () => {
  const all = texts();
  if (all.length) form.elements.transcript.value = all[reading % all.length];
  hideError();
});

// -- uploading

function choose(chosen) {
  hideError();
  if (!chosen) return;
  if (chosen.size > Number(bytes)) {
    fail(new Refusal("payload_too_large", ""));
    return;
  }
  file = chosen;
  $("chosen").textContent = chosen.name;
  const audio = $("chosen-audio");
  URL.revokeObjectURL(audio.src);
  audio.src = URL.createObjectURL(chosen);
  audio.hidden = false;
}

$("file").addEventListener("change", ({ target }) => choose(target.files[0]));
const dropzone = $("dropzone");
for (const name of ["dragover", "dragleave", "drop"]) {
  dropzone.addEventListener(name, (event) => {
    event.preventDefault();
    dropzone.classList.toggle("over", name === "dragover");
    if (name === "drop") choose(event.dataTransfer.files[0]);
  });
}

// -- designing

const design = form.querySelector("[data-way=design]") && new Design(form, designs, token, fail);

// -- consent

const witness = form.querySelector("[data-purpose=consent]") && new Recorder(form.querySelector("[data-purpose=consent]"));

async function askPhrase() {
  takeBack();
  phrase = null;
  const answer = await fetch(`${consents}/phrase?language=${language() || pageLanguage}`).catch(() => null);
  if (!answer?.ok) return fail(answer ? await Refusal.of(answer) : new Refusal("network", ""));
  phrase = await answer.json();
  return witness.read(phrase.text);
}

// Says in the form of a voice that its owner agrees: in words, or by what they have said themselves.
async function agree(sent) {
  if (policy === "off" || form.dataset.voice) return;
  if (witness) {
    sent.set("consent", await recordedConsent());
    return;
  }
  if (!$("attested").checked) throw missing(gettext("Say that the owner of the voice agrees."), $("attested"));
  sent.set("consent", $("statement").textContent);
  limit(sent);
}

function limit(sent) {
  sent.set("purposes", $("purposes").value.trim());
  sent.set("languages", $("languages").value.trim());
  if ($("expires").value) sent.set("expires_at", endOf($("expires").value));
}

async function recordedConsent() {
  if (consent) return consent;
  const sent = spokenConsent();
  limit(sent);
  consent = (await send(consents, token, sent, progress(gettext("Sending the consent")))).id;
  return consent;
}

function spokenConsent() {
  if (!witness.blob) throw missing(gettext("Record the consent: the owner of the voice reads the sentence aloud."), witness.button);
  if (!$("owner").value.trim()) throw missing(gettext("Write the name of the owner of the voice."), $("owner"));
  const sent = new FormData();
  sent.set("name", $("owner").value.trim());
  sent.set("language", phrase.language);
  sent.set("phrase", phrase.id);
  sent.set("recording", witness.blob, "consent");
  return sent;
}

// The last second of a day where the reader is.
const endOf = (day) => Math.floor(new Date(`${day}T23:59:59`).getTime() / 1000);

// What was sent for a voice that is not made after all is not left behind.
function takeBack() {
  if (consent) fetch(`${consents}/${consent}`, { method: "DELETE", headers: { "x-csrftoken": token }, keepalive: true });
  consent = null;
}

witness?.addEventListener("another", askPhrase);
witness?.addEventListener("recorded", takeBack);
$("limits")?.addEventListener("input", () => consent && askPhrase());
addEventListener("pagehide", takeBack);

// -- making

function missing(words, element) {
  return Object.assign(new Error(words), { element });
}

function recording() {
  const blob = way() === "record" ? recorder.blob : file;
  if (blob) return blob;
  if (way() === "record") throw missing(gettext("Record something first."), recorder.button);
  throw missing(gettext("Choose a recording first."), $("file"));
}

async function make() {
  const isNew = !form.dataset.voice;
  if (way() === "design" && !design.chosen) throw missing(gettext("Hear a candidate first, and choose one."), design.button);
  const blob = way() === "design" ? null : recording();
  const name = form.elements.name;
  if (isNew && !name.value.trim()) throw missing(gettext("Give the voice a name."), name);
  if (!blob) return design.keep(name.value.trim(), language());
  const sent = new FormData();
  if (isNew) for (const field of ["name", "language", "description"]) sent.set(field, form.elements[field].value.trim());
  sent.set("transcript", form.elements.transcript.value.trim());
  if ($("override").checked) sent.set("override", "true");
  await agree(sent);
  sent.set("audio_sample", blob, "recording");
  const made = await send(url, token, sent, progress(gettext("Sending the recording")));
  consent = null; // it is the voice's now
  return made;
}

function progress(words) {
  $("sending").hidden = false;
  $("progress").value = 0;
  return (share) => {
    $("progress").value = share * 100;
    $("progress-words").textContent = share < 1 ? words : gettext("Checking the recording");
  };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  hideError();
  $("make").disabled = true;
  $("make").setAttribute("aria-busy", "true");
  try {
    const made = await make();
    location.href = form.dataset.voice ?? `${form.dataset.voices}${made.id}/`;
  } catch (error) {
    fail(error);
  } finally {
    $("make").disabled = false;
    $("make").removeAttribute("aria-busy");
    keepFocus($("make"));
    $("sending").hidden = true;
  }
});

// -- what goes wrong

function fail(error) {
  const isOurs = error instanceof Refusal || error.element;
  if (!isOurs) console.warn(error);
  $("error").textContent = error.element ? error.message : reason(isOurs ? error : new Refusal("internal_error", ""), form);
  $("error").hidden = false;
  $("override-choice").hidden = error.code !== "recording_has_warnings";
  (error.element ?? (error.param && form.elements[error.param]))?.focus?.();
  $("error").scrollIntoView({ block: "nearest" });
}

function hideError() {
  $("error").hidden = true;
  $("override-choice").hidden = true;
}

// -- the languages' names

for (const option of form.elements.language?.options ?? []) if (option.value) option.textContent = languageName(option.value);
form.elements.language?.addEventListener("change", () => {
  offer();
  if (witness) askPhrase();
});
turn();
offer();
if (witness) askPhrase();
