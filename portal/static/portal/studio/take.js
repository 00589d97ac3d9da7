// One take: its samples as they arrive, what they looked like, and what is said when.

const FULL_SCALE = 32768;
const PEAK_SECONDS = 0.02;

export class Take extends EventTarget {
  // `request` is what it was asked for with: input, voice and so on.
  constructor(rate, request) {
    super();
    Object.assign(this, { rate, request, length: 0, marks: [], peaks: [], ended: false });
    Object.assign(this, { firstByteAt: null, seed: null, warning: null, id: null, underruns: 0 });
    this.samples = new Int16Array(rate * 8);
    this.odd = null; // half a sample, until its other half comes
    this.loudest = 0;
  }

  get seconds() {
    return this.length / this.rate;
  }

  // Adds 16-bit little-endian samples, cut wherever the network cut them.
  append(bytes) {
    this.firstByteAt ??= performance.now();
    let data = bytes;
    if (this.odd !== null) {
      data = new Uint8Array(bytes.length + 1);
      data[0] = this.odd;
      data.set(bytes, 1);
    }
    const whole = data.length >> 1;
    this.odd = data.length & 1 ? data[data.length - 1] : null;
    this.#makeRoom(whole);
    const view = new DataView(data.buffer, data.byteOffset, whole * 2);
    for (let index = 0; index < whole; index += 1) this.#add(view.getInt16(index * 2, true));
    if (whole) this.dispatchEvent(new Event("grown"));
  }

  mark(mark) {
    this.marks.push(mark);
  }

  end() {
    if (this.ended) return;
    this.ended = true;
    this.dispatchEvent(new Event("ended"));
  }

  // A copy for the audio thread, in -1..1.
  slice(from, to) {
    return Float32Array.from(this.samples.subarray(from, Math.min(to, this.length)), (sample) => sample / FULL_SCALE);
  }

  // The mark that is being said, if any.
  markAt(seconds) {
    let found = null;
    for (const mark of this.marks) {
      if (mark.time > seconds) break;
      found = mark;
    }
    return found;
  }

  #makeRoom(count) {
    if (this.length + count <= this.samples.length) return;
    const larger = new Int16Array(2 * (this.length + count));
    larger.set(this.samples);
    this.samples = larger;
  }

  #add(sample) {
    this.samples[this.length] = sample;
    this.length += 1;
    this.loudest = Math.max(this.loudest, Math.abs(sample));
    if (this.length % Math.round(this.rate * PEAK_SECONDS) === 0) {
      this.peaks.push(this.loudest / FULL_SCALE);
      this.loudest = 0;
    }
  }
}
