// Draws a take as bars, as far as it is there, and lets one seek in it.
//
// The canvas is a slider: arrows move by a second, Page Up and Down by ten; it fires `seek`.

import { clock } from "./words.js";

const BAR = 3;
const GAP = 2;
const SECONDS_PER_BAR = 0.06; // until the take fills the canvas; from then on it is drawn closer

export class Waveform extends EventTarget {
  constructor(canvas) {
    super();
    Object.assign(this, { canvas, take: null, time: 0 });
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributes: true });
    canvas.addEventListener("pointerdown", (event) => this.#seek((event.offsetX / canvas.clientWidth) * this.span));
    canvas.addEventListener("keydown", (event) => this.#press(event));
  }

  show(take, time = 0) {
    this.take = take;
    this.time = time;
    this.draw();
  }

  // Seconds that the whole width stands for.
  get span() {
    const bars = this.canvas.clientWidth / (BAR + GAP);
    return Math.max(this.take?.seconds ?? 0, bars * SECONDS_PER_BAR);
  }

  draw() {
    const { canvas, take } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const scale = devicePixelRatio;
    if (canvas.width !== Math.round(width * scale)) canvas.width = Math.round(width * scale);
    if (canvas.height !== Math.round(height * scale)) canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    this.#tell();
    const style = getComputedStyle(canvas);
    const colours = ["--wave-played", "--wave", "--wave-rest"].map((name) => style.getPropertyValue(name));
    const bars = Math.floor(width / (BAR + GAP));
    for (let bar = 0; bar < bars; bar += 1) {
      const [from, to] = [(bar / bars) * this.span, ((bar + 1) / bars) * this.span];
      const peak = take && from < take.seconds ? this.#peak(from, to) : -1;
      pen.fillStyle = colours[peak < 0 ? 2 : from < this.time ? 0 : 1];
      const tall = Math.max(BAR, Math.min(1, peak * 1.4) * height);
      pen.beginPath();
      pen.roundRect(bar * (BAR + GAP), (height - tall) / 2, BAR, tall, BAR / 2);
      pen.fill();
    }
  }

  #peak(from, to) {
    const { peaks, seconds } = this.take;
    const perSecond = peaks.length / (seconds || 1);
    const [first, last] = [Math.floor(from * perSecond), Math.ceil(to * perSecond)];
    let highest = 0;
    for (let at = first; at < Math.min(last, peaks.length); at += 1) highest = Math.max(highest, peaks[at]);
    return highest;
  }

  #tell() {
    const seconds = this.take?.seconds ?? 0;
    this.canvas.setAttribute("aria-valuemax", seconds.toFixed(1));
    this.canvas.setAttribute("aria-valuenow", Math.min(this.time, seconds).toFixed(1));
    this.canvas.setAttribute("aria-valuetext", `${clock(this.time)} / ${clock(seconds)}`);
  }

  #press(event) {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
    const ends = { Home: 0, End: this.take?.seconds ?? 0 };
    const { key } = event;
    if (!(key in steps) && !(key in ends)) return;
    event.preventDefault();
    this.#seek(key in ends ? ends[key] : this.time + steps[key]);
  }

  #seek(seconds) {
    if (!this.take) return;
    const within = Math.max(0, Math.min(seconds, this.take.seconds));
    this.dispatchEvent(new CustomEvent("seek", { detail: { seconds: within } }));
  }
}
