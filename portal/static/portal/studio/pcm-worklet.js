// Plays samples out of a ring, on the audio thread.
//
// In:  {run, samples} adds, {run, ended} says that no more will come, {run} alone begins anew.
// Out: {run, played, underruns}, some twenty times a second, with `heard` on the first sound and
//      `done` behind the last. What carries another run than the present one is stale.

const RING_SECONDS = 5;
// The first sound waits this long for more, so that an engine in real time may be a little late.
const PATIENCE = 0.025;
const ENOUGH = 0.25;
const MOST = 1;
const REPORT_SECONDS = 0.05;
const QUIET = 0.003; // -50 dB: nobody hears how long it lasts

class PcmPlayer extends AudioWorkletProcessor {
  constructor() {
    super();
    this.ring = new Float32Array(RING_SECONDS * sampleRate);
    this.begin(0);
    this.port.onmessage = ({ data }) => this.receive(data);
  }

  begin(run) {
    Object.assign(this, { run, written: 0, read: 0, ended: false, running: false, done: false });
    Object.assign(this, { waited: 0, patience: PATIENCE, enough: ENOUGH, underruns: 0, reported: 0 });
    this.sounded = false;
  }

  receive({ run, samples, ended }) {
    if (run !== this.run) this.begin(run);
    if (samples) this.add(samples);
    if (ended) this.ended = true;
  }

  add(samples) {
    const at = this.written % this.ring.length;
    const head = samples.subarray(0, this.ring.length - at);
    this.ring.set(head, at);
    this.ring.set(samples.subarray(head.length), 0);
    this.written += samples.length;
  }

  get buffered() {
    return this.written - this.read;
  }

  isReady(frames) {
    if (this.ended) return true;
    if (this.buffered === 0) return false;
    this.waited += frames;
    return this.buffered >= this.enough * sampleRate || this.waited >= this.patience * sampleRate;
  }

  process(_inputs, [[channel]]) {
    if (this.done) return true;
    this.running ||= this.isReady(channel.length);
    if (!this.running || this.rests(channel.length)) return true;
    const heard = this.read === 0 && this.buffered > 0;
    this.fill(channel);
    this.done = this.ended && this.buffered === 0;
    if (heard || this.done || this.read - this.reported >= REPORT_SECONDS * sampleRate) this.report(heard);
    return true;
  }

  // An engine that is just as fast as its speech never gets ahead of it: a pause of the speaker is
  // drawn out until there is enough for a piece that comes late.
  rests(frames) {
    if (this.ended || this.buffered >= this.enough * sampleRate) return false;
    const isQuiet = this.isQuiet(Math.min(frames, this.buffered));
    this.sounded ||= !isQuiet;
    return this.sounded && isQuiet;
  }

  isQuiet(count) {
    for (let at = this.read; at < this.read + count; at += 1) {
      if (Math.abs(this.ring[at % this.ring.length]) > QUIET) return false;
    }
    return count > 0;
  }

  fill(channel) {
    const count = Math.min(channel.length, this.buffered);
    const at = this.read % this.ring.length;
    const head = this.ring.subarray(at, Math.min(at + count, this.ring.length));
    channel.set(head);
    channel.set(this.ring.subarray(0, count - head.length), head.length);
    this.read += count;
    if (count < channel.length && !this.ended) this.starve();
  }

  // An engine that is slower than its speech: wait for more each time, rather than stutter.
  starve() {
    this.underruns += 1;
    this.running = false;
    this.patience = Infinity;
    this.enough = Math.min(MOST, this.enough * 2);
    this.report(false);
  }

  report(heard) {
    this.reported = this.read;
    const { run, read: played, underruns, done } = this;
    this.port.postMessage({ run, played, underruns, done, heard });
  }
}

registerProcessor("pcm-player", PcmPlayer);
