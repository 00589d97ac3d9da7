"""Hears what a page plays: the samples that reach the loudspeaker, and when."""

from __future__ import annotations

import base64

import numpy as np

# A second reader of whatever is connected to the destination: it keeps what is rendered.
LISTEN = """
window.heard = { samples: [], rate: 0, at: null };
const RECORD = `registerProcessor("recorder", class extends AudioWorkletProcessor {
  process([[channel]]) {
    if (channel) this.port.postMessage({ samples: channel.slice(), frame: currentFrame });
    return true;
  }
});`;
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target === this.context.destination) {
    const { context } = this;
    const module = URL.createObjectURL(new Blob([RECORD], { type: "text/javascript" }));
    context.audioWorklet.addModule(module).then(() => {
      const recorder = new AudioWorkletNode(context, "recorder");
      recorder.port.onmessage = ({ data }) => {
        if (window.heard.at === null && data.samples.some((sample) => sample !== 0)) {
          window.heard.at = performance.now();
        }
        window.heard.samples.push(data.samples);
      };
      connect.call(this, recorder);
      window.heard.rate = context.sampleRate;
    });
  }
  return connect.call(this, target, ...rest);
};
const read = ReadableStreamDefaultReader.prototype.read;
window.firstByteAt = null;
ReadableStreamDefaultReader.prototype.read = function (...rest) {
  return read.apply(this, rest).then((got) => {
    if (got.value?.length) window.firstByteAt ??= performance.now();
    return got;
  });
};
"""
TAKE = """() => {
  const parts = window.heard.samples;
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0);
  let text = "";
  const bytes = new Uint8Array(all.buffer);
  for (let at = 0; at < bytes.length; at += 32768) {
    text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  }
  return btoa(text);
}"""


def heard(page):
    """All samples since the page was opened, silence before the first sound cut off."""
    samples = np.frombuffer(base64.b64decode(page.evaluate(TAKE)), np.float32)
    sounding = np.flatnonzero(samples)
    return samples[sounding[0] : sounding[-1] + 1] if len(sounding) else samples[:0]


def forget(page):
    """From now on, as if nothing had been heard."""
    page.evaluate("Object.assign(window.heard, { samples: [], at: null }); firstByteAt = null")
