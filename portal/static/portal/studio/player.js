// Plays takes, those that are still being made as well, through the worklet.
//
// Events: `heard` at the first sound of a take (`detail.ms` after its first byte), `moved` some
// twenty times a second, `ended` (`detail.take`, `detail.underruns`).

const AHEAD_SECONDS = 4; // less than the worklet's ring holds

export class Player extends EventTarget {
  constructor(rate) {
    super();
    Object.assign(this, { rate, run: 0 });
    this.#reset();
    this.context = new AudioContext({ sampleRate: rate, latencyHint: "interactive" });
    this.ready = this.#load();
  }

  async #load() {
    await this.context.audioWorklet.addModule(new URL("./pcm-worklet.js", import.meta.url));
    const options = { numberOfInputs: 0, outputChannelCount: [1] };
    this.node = new AudioWorkletNode(this.context, "pcm-player", options);
    this.node.port.onmessage = ({ data }) => this.#told(data);
    this.node.connect(this.context.destination);
  }

  // Seconds into the take of what is being heard.
  get time() {
    return (this.begin + this.played) / this.rate;
  }

  // Call it from a click or a key: browsers start no sound without one.
  async play(take, seconds = 0) {
    this.stop();
    this.take = take;
    this.begin = this.sent = Math.min(Math.round(seconds * this.rate), take.length);
    take.addEventListener("grown", this.#feed);
    take.addEventListener("ended", this.#feed);
    await Promise.all([this.ready, this.context.resume()]);
    this.#feed();
  }

  pause() {
    this.isPaused = true;
    return this.context.suspend();
  }

  resume() {
    this.isPaused = false;
    return this.context.resume();
  }

  stop() {
    this.take?.removeEventListener("grown", this.#feed);
    this.take?.removeEventListener("ended", this.#feed);
    this.#reset();
    this.run += 1;
    this.node?.port.postMessage({ run: this.run });
  }

  #reset() {
    Object.assign(this, { take: null, begin: 0, sent: 0, played: 0, underruns: 0, isPaused: false, isToldAll: false });
  }

  // As much as may lie ahead of what is heard; the rest when that has moved on.
  #feed = () => {
    if (!this.take || !this.node) return;
    const ahead = this.sent - this.begin - this.played;
    const count = Math.min(this.take.length - this.sent, this.rate * AHEAD_SECONDS - ahead);
    if (count > 0) {
      const samples = this.take.slice(this.sent, this.sent + count);
      this.sent += count;
      this.node.port.postMessage({ run: this.run, samples }, [samples.buffer]);
    }
    if (this.take.ended && this.sent === this.take.length && !this.isToldAll) {
      this.isToldAll = true;
      this.node.port.postMessage({ run: this.run, ended: true });
    }
  };

  #told({ run, played, underruns, done, heard }) {
    if (run !== this.run || !this.take) return;
    Object.assign(this, { played, underruns });
    if (heard) this.#emit("heard", { ms: performance.now() - this.take.firstByteAt });
    this.#emit("moved");
    if (!done) return this.#feed();
    const { take } = this;
    this.stop();
    return this.#emit("ended", { take, underruns });
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
