"""An audio clock that a test turns by hand: it stands still until all that is due at a moment has
come to the player, however busy the machine is.

The page, its server and the worklet are the real ones; the speech is asked for at once, and its
pieces are let through when the clock says so.
"""

from __future__ import annotations

import base64
import json

import numpy as np

# Tells at which frame each message has come to the worklet.
RECEIPTS = """
window.receipts = [];
window.posted = 0;
const TELL = `const register = registerProcessor;
globalThis.registerProcessor = (name, type) => register(name, class extends type {
  constructor(...given) {
    super(...given);
    const receive = this.port.onmessage;
    this.port.onmessage = (event) => {
      receive?.(event);
      this.port.postMessage({ came: currentFrame, count: event.data.samples?.length ?? 0 });
    };
  }
});`;
const add = AudioWorklet.prototype.addModule;
AudioWorklet.prototype.addModule = async function (url) {
  await add.call(this, URL.createObjectURL(new Blob([TELL], { type: "text/javascript" })));
  return add.call(this, url);
};
window.AudioWorkletNode = class extends AudioWorkletNode {
  constructor(...given) {
    super(...given);
    this.port.addEventListener("message", ({ data }) => "came" in data && receipts.push(data));
    const post = this.port.postMessage;
    this.port.postMessage = (...message) => {
      window.posted += 1;
      post.apply(this.port, message);
    };
  }
};
"""
BY_HAND = """
const STEP = 128;
const SECONDS = 20;
const { suspend, resume } = OfflineAudioContext.prototype;
window.AudioContext = class extends OfflineAudioContext {
  constructor({ sampleRate }) {
    super(1, SECONDS * sampleRate, sampleRate);
    window.clock = this;
  }
  async resume() {}
};
const ask = window.fetch;
window.fetch = async (url, given) => {
  const answer = await ask(url, given);
  if (!String(url).endsWith("/api/studio/speech")) return answer;
  Object.assign(window, { pieces: [], before: [], rest: [] });
  for (const event of (await answer.text()).split("\\n\\n").filter(Boolean)) {
    if (!event.includes("speech.audio.delta")) rest.push(event);
    else before[pieces.push(event) - 1] = rest.splice(0);
  }
  const body = new ReadableStream({ start: (sink) => (window.sink = sink) });
  return new Response(body, { headers: answer.headers });
};
const turn = () => new Promise((go) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = go;
  port2.postMessage(null);
});
const arrive = (event) => sink.enqueue(new TextEncoder().encode(`${event}\\n\\n`));
async function settle() {
  do await turn(); while (receipts.length < posted);
  await turn();
}
// What is marked in the text, and from which frame on.
window.marked = [];
function look(frame) {
  const mark = document.querySelector("#captions mark")?.textContent ?? null;
  if (mark !== (marked.at(-1)?.[1] ?? null)) marked.push([frame, mark]);
}
// The pieces come at these seconds, with what was sent before them; resolves with all that is heard
// until it ends.
window.hearAt = async (times) => {
  await settle();
  let heard = null;
  let next = 0;
  for (let frame = STEP; !heard; frame += STEP) {
    const stopped = suspend.call(clock, frame / clock.sampleRate);
    if (frame === STEP) window.rendered = clock.startRendering();
    else resume.call(clock);
    await stopped;
    while (next < times.length && times[next] * clock.sampleRate <= frame) {
      [...before[next], pieces[next]].forEach(arrive);
      next += 1;
      if (next === times.length) {
        rest.forEach(arrive);
        sink.close();
      }
    }
    await settle();
    look(frame);
    heard = document.getElementById("status").textContent.startsWith("Done") ? frame : null;
  }
  resume.call(clock);
  const samples = (await rendered).getChannelData(0).subarray(0, heard);
  let text = "";
  const bytes = new Uint8Array(samples.slice().buffer);
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return btoa(text);
};
"""


def hear_at(page, times):
    """All that is heard when the pieces of the speech come at these seconds, from the clock's
    beginning on."""
    return np.frombuffer(base64.b64decode(page.evaluate("times => hearAt(times)", times)), "<f4")


def pieces_of(page):
    """The samples of each piece."""
    audio = page.evaluate("pieces.map((event) => JSON.parse(event.slice(6)).audio)")
    return [np.frombuffer(base64.b64decode(one), "<i2") for one in audio]


def marks_of(page):
    """What the server said is spoken when."""
    return [
        event
        for event in page.evaluate("before.flat().map((event) => JSON.parse(event.slice(6)))")
        if event["type"] == "speech.mark"
    ]


def replace(page, number, samples):
    """Have another piece come in the place of this one."""
    audio = base64.b64encode(samples.astype("<i2").tobytes()).decode()
    event = "data: " + json.dumps({"type": "speech.audio.delta", "audio": audio})
    page.evaluate("([number, event]) => { pieces[number] = event; }", [number, event])
