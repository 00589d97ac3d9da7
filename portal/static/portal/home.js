// The public page: fills the lists from the API and speaks.
// The key is kept for this tab only and goes nowhere but into the Authorization header.

import { Player } from "./player.js";
import { Refusal } from "./studio/speaking.js";
import { sentence } from "./studio/words.js";

const find = (id) => document.getElementById(id);
const form = find("speak");
const KEY = "vox-api-key";
let player = null;
let stopping = null;
let recording = null;

const authorization = () => {
  const key = find("key").value.trim();
  return key ? { authorization: `Bearer ${key}` } : {};
};

// -- the lists

async function fill(select, url, label) {
  const response = await fetch(url, { headers: authorization() });
  if (!response.ok) return;
  const items = (await response.json()).data;
  if (!items.length) return;
  const before = select.value;
  select.replaceChildren(...items.map((item) => new Option(label(item), item.id)));
  if (items.some((item) => item.id === before)) select.value = before;
}

const describe = (voice) => (voice.description ? `${voice.name} – ${voice.description}` : voice.name);

function fillLists() {
  fill(find("voice"), "/v1/audio/voices", describe).catch(() => {});
  fill(find("model"), "/v1/models", (model) => model.id).catch(() => {});
}

// -- speaking

function show({ status = "", error = "", speaking = false }) {
  find("status").textContent = status;
  find("error").textContent = error;
  find("error").hidden = !error;
  find("start").disabled = speaking;
  find("stop").hidden = !speaking;
}

function offerDownload() {
  if (recording) URL.revokeObjectURL(recording);
  recording = player && player.seconds ? URL.createObjectURL(player.wav()) : null;
  find("download").hidden = !recording;
  if (recording) find("download").href = recording;
}

async function speak() {
  player?.close();
  player = new Player();
  stopping = new AbortController();
  find("download").hidden = true;
  show({ status: gettext("Asking…"), speaking: true });
  const asked = performance.now();
  const response = await fetch("/v1/audio/speech", {
    method: "POST",
    headers: { ...authorization(), "content-type": "application/json" },
    body: JSON.stringify({
      model: find("model").value,
      voice: find("voice").value,
      input: find("text").value,
      speed: Number(find("speed").value),
      response_format: "pcm",
    }),
    signal: stopping.signal,
  });
  if (!response.ok) throw await Refusal.of(response);
  const first = await receive(response.body.getReader(), asked);
  await player.drained();
  show({ status: `${first} · ${interpolate(gettext("%s s of speech"), [player.seconds.toFixed(1)])}` });
}

async function receive(reader, asked) {
  let first = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    if (!first) {
      const ms = Math.round(performance.now() - asked);
      first = interpolate(gettext("First audio after %s ms"), [ms]);
      show({ status: `${first} · ${gettext("speaking")}`, speaking: true });
    }
    player.push(part.value);
  }
  player.flush();
  offerDownload();
  return first;
}

function explain(error) {
  player.close();
  if (error.name === "AbortError") return show({ status: gettext("Stopped.") });
  if (error instanceof TypeError) return show({ error: gettext("The connection to the server was lost.") });
  if (error.code === "nobody") return show({ error: gettext("Paste an API key first.") });
  show({ error: error instanceof Refusal ? sentence(error) : error.message });
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  speak().catch(explain);
});

find("stop").addEventListener("click", () => {
  stopping.abort();
  player.close();
  show({ status: gettext("Stopped.") });
});

find("speed").addEventListener("input", () => {
  find("speed-shown").textContent = `${Number(find("speed").value)}×`;
});

find("key").addEventListener("change", () => {
  sessionStorage.setItem(KEY, find("key").value.trim());
  fillLists();
});

find("key").value = sessionStorage.getItem(KEY) ?? "";
fillLists();
