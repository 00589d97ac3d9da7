// One long text: how far it is, heard from its first piece on, corrected piece by piece.

import { refresh } from "./lists.js";
import { duration, watch } from "./progress.js";
import { json } from "./studio/json.js";
import { reason } from "./studio/refusals.js";
import { Refusal } from "./studio/speaking.js";
import { toast } from "./toast.js";

const at = (id) => document.getElementById(id);
const section = at("job");
const states = JSON.parse(at("states").textContent);
const errors = JSON.parse(at("errors").textContent);
const id = section?.dataset.job;
const api = `/api/jobs/${id}`;
const token = () => JSON.parse(document.body.getAttribute("hx-headers"))["x-csrftoken"];
let playable = 0;
let finished = -1;
let files = "";

// -- what the server tells

function show(name, value, text) {
  at(`${name}-box`).hidden = value === null;
  if (value !== null) at(name).textContent = text ?? value;
}

function told(job) {
  at("state").dataset.state = job.state;
  // Only what is new is read out.
  if (at("state").textContent !== states[job.state]) at("state").textContent = states[job.state];
  at("bar").max = job.segments.total;
  at("bar").value = job.segments.finished;
  at("finished").textContent = job.segments.finished;
  at("audio").textContent = duration(job.audio_seconds);
  show("left", job.seconds_left, job.seconds_left === null ? "" : duration(job.seconds_left));
  show("rtf", job.rtf, job.rtf?.toFixed(3));
  show("place", job.queue_place);
  show("failed", job.segments.failed || null);
  at("reason").hidden = !job.reason;
  at("reason").textContent = errors[job.reason] ?? job.message;
  playable = job.playable;
  at("listen").hidden = !playable;
  at("captions").hidden = playable !== job.segments.total;
  allow(job.state);
  const now = JSON.stringify(job.outputs);
  if (now !== files) refresh(at("files"));
  files = now;
  if (job.segments.finished + job.segments.failed !== finished) refreshSoon();
  finished = job.segments.finished + job.segments.failed;
}

function allow(state) {
  for (const button of at("deeds").querySelectorAll("button")) {
    button.hidden = !button.dataset.in.split(" ").includes(state);
  }
}

// The table is loaded anew at most once a second.

let refreshing = null;

function refreshSoon() {
  refreshing ??= setTimeout(() => {
    refreshing = null;
    refresh(at("segments"));
  }, 1000);
}

// -- listening: one piece after the other, as far as they are there

const audio = new Audio();
let playing = null;
let goesOn = false;

function play(index, on) {
  playing = index;
  goesOn = on;
  audio.src = `${api}/segments/${index}/audio`;
  audio.play().catch(() => toast(gettext("This piece cannot be played."), "error"));
  at("heard").textContent = interpolate(gettext("Piece %s"), [index + 1]);
  mark();
}

function halt() {
  audio.pause();
  playing = null;
  at("heard").textContent = "";
  mark();
}

function mark() {
  for (const row of document.querySelectorAll("[data-segment]")) {
    row.classList.toggle("playing", Number(row.dataset.segment) === playing);
  }
  at("listen").querySelector("span").textContent =
    playing === null ? gettext("Listen") : gettext("Stop");
}

audio.addEventListener("ended", () => {
  if (goesOn && playing + 1 < playable) play(playing + 1, true);
  else if (goesOn && playing + 1 < at("bar").max) setTimeout(() => audio.dispatchEvent(new Event("ended")), 500);
  else halt();
});

// -- correcting

const dialog = at("edit");
let edited = null;
let seen = null;

document.addEventListener("click", (event) => {
  const hear = event.target.closest("[data-play]");
  if (hear) play(Number(hear.dataset.play), false);
  const edit = event.target.closest("[data-edit]");
  if (!edit) return;
  edited = edit.dataset.edit;
  seen = Number(edit.dataset.version);
  at("edit-text").value = edit.closest("tr").querySelector("[data-text]").textContent;
  at("edit-voice").value = edit.dataset.voice;
  at("edit-seed").value = edit.dataset.seed;
  at("edit-error").hidden = true;
  dialog.showModal();
});
at("edit-cancel").addEventListener("click", () => dialog.close());
// The row may be another one meanwhile: the browser would not find its button.
dialog.addEventListener("close", () => document.querySelector(`[data-edit="${edited}"]`)?.focus());
at("edit-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const seed = at("edit-seed").value.trim();
  const body = { text: at("edit-text").value, voice: at("edit-voice").value.trim(), seed: seed ? BigInt(seed) : null, version: seen };
  const url = `/api/jobs/${dialog.dataset.jobId}/segments/${edited}`;
  const answer = await fetch(url, {
    method: "PATCH",
    headers: { "content-type": "application/json", "x-csrftoken": token() },
    body: json(body),
  }).catch(() => null);
  if (answer?.ok) {
    dialog.close();
    location.reload();
    return;
  }
  at("edit-error").hidden = false;
  at("edit-error").textContent = reason(answer ? await Refusal.of(answer) : new Refusal("network", ""), at("edit-form"));
});

if (section) {
  document.addEventListener("htmx:afterSwap", mark);
  at("listen").addEventListener("click", () => (playing === null ? play(0, true) : halt()));
  allow(at("state").dataset.state);
  playable = Number(at("listen").dataset.playable);
  watch([id], told, (isLost) => (at("offline").hidden = !isLost));
}
