// Records from the microphone, as it is: with the browser's filters off, which spoil a voice.
//
// Events: `recorded` (`detail.blob`), `another` when another text is wanted.

import { clock } from "../studio/words.js";

const RAW = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
const TYPES = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const BITS = 160_000;
const COUNTDOWN = 3;
const QUIET_DB = -42;
const LOUD_DB = -1;

export class Recorder extends EventTarget {
  constructor(root) {
    super();
    this.root = root;
    this.longest = Number(root.dataset.longest);
    [this.text, this.level, this.hint, this.button, this.label, this.clock, this.audio] = [
      ".reading", ".level", ".recorder-hint", ".record", ".record-label", ".clock", "audio",
    ].map((selector) => root.querySelector(selector));
    this.idle = this.label.textContent;
    this.button.addEventListener("click", () => (this.stop ? this.stop() : this.#begin()));
    root.querySelector(".another").addEventListener("click", () => this.dispatchEvent(new Event("another")));
  }

  read(text) {
    this.text.textContent = text;
  }

  get blob() {
    return this.recorded ?? null;
  }

  async #begin() {
    this.#show("waiting");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: RAW });
    } catch (error) {
      this.#show("idle");
      this.#say(refused(error));
      return;
    }
    const stopListening = this.#listen(stream);
    try {
      if (await this.#count()) await this.#record(stream);
    } finally {
      stopListening();
      for (const track of stream.getTracks()) track.stop();
      this.stop = null;
      this.#show("idle");
    }
  }

  // False when it was stopped meanwhile.
  async #count() {
    let isStopped = false;
    this.stop = () => (isStopped = true);
    for (let left = COUNTDOWN; left > 0 && !isStopped; left -= 1) {
      this.#say(interpolate(gettext("Recording in %s"), [left]));
      await new Promise((go) => setTimeout(go, 700));
    }
    this.#say(isStopped ? "" : gettext("Recording. Read now."));
    return !isStopped;
  }

  async #record(stream) {
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS });
    const pieces = [];
    recorder.addEventListener("dataavailable", ({ data }) => pieces.push(data));
    const ended = new Promise((end) => recorder.addEventListener("stop", end));
    this.stop = () => recorder.state !== "inactive" && recorder.stop();
    this.#show("recording");
    recorder.start();
    const began = performance.now();
    const ticking = setInterval(() => {
      const seconds = (performance.now() - began) / 1000;
      this.clock.textContent = `${clock(seconds)} / ${clock(this.longest)}`;
      if (seconds >= this.longest) this.stop();
    }, 100);
    await ended;
    clearInterval(ticking);
    this.#take(new Blob(pieces, { type: mimeType }));
  }

  #take(blob) {
    this.recorded = blob;
    URL.revokeObjectURL(this.audio.src);
    this.audio.src = URL.createObjectURL(blob);
    this.audio.hidden = false;
    this.#say(gettext("Recorded. Listen to it, and record again if you like."));
    this.dispatchEvent(new CustomEvent("recorded", { detail: { blob } }));
  }

  // The level, as long as the microphone is open.
  #listen(stream) {
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: 2048 });
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    let frame;
    const look = () => {
      analyser.getFloatTimeDomainData(samples);
      const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 1e-6);
      this.#showLevel(Math.max(-60, 20 * Math.log10(peak)));
      frame = requestAnimationFrame(look);
    };
    look();
    return () => {
      cancelAnimationFrame(frame);
      this.#showLevel(-60);
      context.close();
    };
  }

  #showLevel(db) {
    this.level.style.setProperty("--level", String((db + 60) / 60));
    this.level.setAttribute("aria-valuenow", db.toFixed(0));
    this.level.dataset.verdict = db > LOUD_DB ? "loud" : db < QUIET_DB ? "quiet" : "good";
  }

  #show(state) {
    this.root.dataset.state = state;
    const words = { waiting: gettext("Waiting for the microphone"), recording: gettext("Stop") };
    this.label.textContent = words[state] ?? (this.recorded ? gettext("Record again") : this.idle);
    if (state !== "recording") this.clock.textContent = "";
  }

  #say(words) {
    this.hint.textContent = words;
  }
}

function refused(error) {
  if (error.name === "NotAllowedError") return gettext("The browser may not use the microphone. Allow it beside the address of this page, and try again.");
  if (error.name === "NotFoundError") return gettext("There is no microphone. Connect one and try again, or upload a recording.");
  if (!navigator.mediaDevices) return gettext("Browsers record only over https and on the machine itself. Upload a recording instead.");
  return gettext("The microphone cannot be opened. Close what else uses it, and try again.");
}
