// Plays 24 kHz 16-bit mono PCM while it arrives, and keeps it for a WAV file.
// Each piece is scheduled behind the one before it on the audio clock, which needs no worklet and
// therefore also works on pages that were not loaded over https.

export const RATE = 24000;
const LEAD_SECONDS = 0.06; // what a first piece may be late by before there is a gap
const PIECE_BYTES = 4800; // 100 ms: fewer pieces than the network delivers

export class Player {
  constructor() {
    this.context = new AudioContext({ sampleRate: RATE });
    this.rest = new Uint8Array(0);
    this.heard = [];
    this.ends = 0;
  }

  // Takes bytes as they come; a sample may be cut in two between two reads.
  push(bytes) {
    const joined = new Uint8Array(this.rest.length + bytes.length);
    joined.set(this.rest);
    joined.set(bytes, this.rest.length);
    const whole = joined.length - (joined.length % 2);
    if (whole < PIECE_BYTES && this.heard.length) {
      this.rest = joined;
      return;
    }
    this.rest = joined.slice(whole);
    this.schedule(joined.slice(0, whole));
  }

  flush() {
    this.schedule(this.rest.slice(0, this.rest.length - (this.rest.length % 2)));
    this.rest = new Uint8Array(0);
  }

  schedule(bytes) {
    if (!bytes.length) return;
    this.heard.push(bytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const samples = Float32Array.from({ length: bytes.length / 2 }, (_, i) => view.getInt16(i * 2, true) / 32768);
    const buffer = this.context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    const begins = Math.max(this.ends, this.context.currentTime + LEAD_SECONDS);
    source.start(begins);
    this.ends = begins + buffer.duration;
  }

  // Resolves when the last sample has been heard.
  async drained() {
    const left = this.ends - this.context.currentTime;
    if (left > 0) await new Promise((done) => setTimeout(done, left * 1000));
  }

  close() {
    if (this.context.state !== "closed") this.context.close();
  }

  get seconds() {
    return this.heard.reduce((sum, piece) => sum + piece.length, 0) / 2 / RATE;
  }

  wav() {
    const size = this.heard.reduce((sum, piece) => sum + piece.length, 0);
    const head = new DataView(new ArrayBuffer(44));
    const word = (offset, text) => [...text].forEach((sign, i) => head.setUint8(offset + i, sign.charCodeAt(0)));
    word(0, "RIFF");
    head.setUint32(4, 36 + size, true);
    word(8, "WAVEfmt ");
    head.setUint32(16, 16, true);
    head.setUint16(20, 1, true); // PCM
    head.setUint16(22, 1, true); // mono
    head.setUint32(24, RATE, true);
    head.setUint32(28, RATE * 2, true);
    head.setUint16(32, 2, true);
    head.setUint16(34, 16, true);
    word(36, "data");
    head.setUint32(40, size, true);
    return new Blob([head, ...this.heard], { type: "audio/wav" });
  }
}
