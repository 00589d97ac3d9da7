// The studio's page: what its parts tell each other.

import { toast } from "../toast.js";
import { Captions } from "./captions.js";
import { Fields } from "./fields.js";
import { parse } from "./json.js";
import { Player } from "./player.js";
import { Previews } from "./previews.js";
import { reason, unused } from "./refusals.js";
import { snippet } from "./snippets.js";
import { Refusal, speak } from "./speaking.js";
import { Take } from "./take.js";
import { TakeList } from "./take-list.js";
import { VoicePicker } from "./voice-picker.js";
import { Waveform } from "./waveform.js";
import { clock, languageName, number } from "./words.js";

const $ = (id) => document.getElementById(id);
const form = $("studio");
const { url, takes: takesUrl, site, model } = form.dataset;
const rate = Number(form.dataset.rate);
const most = Number(form.dataset.most);
const token = form.elements.csrfmiddlewaretoken.value;
const voices = JSON.parse($("voice-data").textContent);

const fields = new Fields(form);
const player = new Player(rate);
const wave = new Waveform($("wave"));
const captions = new Captions($("input"), $("captions"));
const list = new TakeList($("takes"), $("no-takes"), $("formats"));
const picker = new VoicePicker($("voices"), voices, $("voice").value);
const previews = new Previews(url, token, rate, player);

let shown = null; // the take in the player
let asking = null; // the AbortController of what is being made

// -- speaking

async function play(wanted = null) {
  halt();
  hideError();
  let request;
  try {
    request = wanted ?? fields.request();
    if (!request.input.trim()) throw new Refusal("empty_input", "", { param: "input" });
    if (length(request.input) > most) throw new Refusal("input_too_long", "", { param: "input" });
  } catch (error) {
    return fail(error);
  }
  const take = new Take(rate, request);
  take.voiceName = voices.find(({ id }) => id === request.voice)?.name ?? request.voice;
  take.hasSeeds = !fields.seed.closest(".field").hidden;
  list.add(take, fields.format);
  return hear(take);
}

async function hear(take) {
  const mine = (asking = new AbortController());
  say(gettext("Making speech."));
  show(take);
  take.addEventListener("grown", () => list.tell(take));
  try {
    await Promise.all([player.play(take), speak(url, token, take, mine.signal)]);
    if (!fields.isKept) fields.seed.value = take.seed ?? "";
    if (take.warning) toast(unused(take.warning, form));
  } catch (error) {
    if (error.name !== "AbortError") fail(error);
  } finally {
    if (asking === mine) asking = null;
    if (take.length) list.tell(take);
    else list.remove(take);
    if (!take.length && shown === take) show(null);
    refresh();
  }
}

// Silence, and the engine is free.
function halt() {
  asking?.abort();
  asking = null;
  player.stop();
  captions.show(null);
  refresh();
}

function listen(take, seconds = 0) {
  if (take !== shown) asking?.abort();
  show(take);
  player.play(take, seconds).then(refresh, fail);
}

// -- what is seen of it

function show(take) {
  shown = take;
  list.current(take);
  wave.show(take);
  captions.show(null);
  refresh();
}

function refresh() {
  const isBusy = asking !== null || (player.take !== null && !player.isPaused);
  form.dataset.busy = String(isBusy);
  form.dataset.paused = String(player.take === null || player.isPaused);
  const pause = $("pause");
  pause.disabled = shown === null || shown.length === 0;
  pause.setAttribute("aria-label", form.dataset.paused === "true" ? pause.dataset.play : pause.dataset.pause);
  const seconds = shown?.seconds ?? 0;
  $("clock").textContent = player.take ? `${clock(player.time)} / ${clock(seconds)}` : clock(seconds);
}

function move() {
  if (!player.take || player.take !== shown) return;
  wave.show(shown, player.time);
  captions.show(fields.text === shown.request.input ? shown.markAt(player.time) : null);
  refresh();
}

function say(words) {
  $("status").textContent = words;
}

function fail(error) {
  const isRefusal = error instanceof Refusal;
  if (!isRefusal) console.warn(error);
  $("error").textContent = reason(isRefusal ? error : new Refusal("internal_error", ""), form);
  $("error").hidden = false;
  say("");
  focus(error.param);
  refresh();
}

// The field that is to blame.
function focus(param) {
  const field = param === "voice" ? $("choose-voice") : form.elements.namedItem(param ?? "");
  field?.closest("details")?.setAttribute("open", "");
  field?.focus();
}

function hideError() {
  $("error").hidden = true;
}

player.addEventListener("heard", () => say(gettext("Speaking.")));
player.addEventListener("moved", move);
player.addEventListener("ended", ({ detail: { take, underruns } }) => {
  take.underruns = underruns;
  list.tell(take);
  wave.show(shown, shown?.seconds);
  captions.show(null);
  if (take.length) say(interpolate(gettext("Done: %s seconds of speech."), [number(take.seconds, 1)]));
  refresh();
});
wave.addEventListener("seek", ({ detail: { seconds } }) => shown && listen(shown, seconds));

// -- takes

list.addEventListener("play", ({ detail: { take } }) => listen(take));
list.addEventListener("again", ({ detail: { take } }) => {
  const seed = BigInt(crypto.getRandomValues(new Uint32Array(1))[0] >>> 1);
  play({ ...take.request, seed });
});
list.addEventListener("download", async ({ detail: { take, format } }) => {
  const answer = await fetch(`${takesUrl}${take.id}.${format}`).catch(() => null);
  if (!answer) return fail(new Refusal("network"));
  if (answer.status === 404) {
    const gone = gettext("This take is not kept any more. Play it with its seed again, and download it within %s minutes.");
    return fail(new Refusal("gone", interpolate(gone, [form.dataset.minutes])));
  }
  if (!answer.ok) return fail(await Refusal.of(answer));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = answer.headers.get("content-disposition").match(/filename="(.+)"/)[1];
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  return say(interpolate(gettext("Downloaded as %s."), [format]));
});

// -- voices

function choose(voice) {
  $("voice").value = voice.id;
  $("voice-name").textContent = voice.name;
  $("voice-about").textContent = voice.description || " ";
  $("voice-avatar").textContent = voice.name.slice(0, 1);
}

function preview(voice) {
  halt();
  previews.play(voice.id).catch((error) => toast(reason(error, form), "error"));
}

$("choose-voice").addEventListener("click", () => picker.open());
picker.addEventListener("chosen", ({ detail: { voice } }) => choose(voice));
picker.addEventListener("preview", ({ detail: { voice } }) => preview(voice));
picker.addEventListener("hush", () => player.take !== shown && previews.stop());

// -- code

function showCode(language) {
  for (const chip of document.querySelectorAll("[data-code]")) {
    chip.setAttribute("aria-pressed", String(chip.dataset.code === language));
  }
  const { input, voice, model: wanted = model, ...rest } = fields.request();
  const asked = { model: wanted, voice, input: input || gettext("Hello."), response_format: fields.format, ...rest };
  if (asked.speed === 1) delete asked.speed;
  $("snippet").textContent = snippet(language, site, asked);
}

$("code").addEventListener("click", () => {
  try {
    showCode("curl");
  } catch (error) {
    return fail(error);
  }
  return $("code-sheet").showModal();
});
for (const chip of document.querySelectorAll("[data-code]")) {
  chip.addEventListener("click", () => showCode(chip.dataset.code));
}

// -- what was spoken earlier, to be said again

async function recall(id) {
  const answer = await fetch(`${form.dataset.history}${id}/settings.json`).catch(() => null);
  if (!answer?.ok) return fail(new Refusal(answer ? "not_found" : "network"));
  const request = parse(await answer.text());
  fields.fill(request);
  const voice = voices.find((one) => one.id === request.voice);
  return voice ? choose(voice) : fail(new Refusal("unknown_voice"));
}

const repeated = new URLSearchParams(location.search).get("repeat");
if (/^\d+$/.test(repeated ?? "")) recall(repeated);

// -- the form

const length = (text) => Array.from(text).length;

function count() {
  const points = length(fields.text);
  $("count").value = `${number(points)} / ${number(most)}`;
  $("count").classList.toggle("over", points > most);
  captions.show(null);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (form.dataset.busy === "true") {
    halt();
    say(gettext("Stopped."));
  } else play();
});
$("pause").addEventListener("click", () => {
  if (!player.take) listen(shown);
  else (player.isPaused ? player.resume() : player.pause()).then(refresh);
});
$("input").addEventListener("input", count);
for (const chip of document.querySelectorAll("[data-sample]")) {
  chip.addEventListener("click", () => {
    $("input").value = chip.dataset.sample;
    count();
    $("input").focus();
  });
}
document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open], :popover-open")) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    play();
  } else if (event.key === "Escape" && form.dataset.busy === "true") {
    halt();
    say(gettext("Stopped."));
  }
});
for (const option of $("language").options) if (option.value) option.textContent = languageName(option.value);
addEventListener("pagehide", halt);
count();
refresh();
