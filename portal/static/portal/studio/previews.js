// A short sentence in a voice, made once a visit and then played from memory.

import { Player } from "./player.js";
import { speak } from "./speaking.js";
import { Take } from "./take.js";

export class Previews {
  constructor(url, token, rate, player = new Player(rate)) {
    Object.assign(this, { url, token, rate, player, made: new Map(), asking: null });
  }

  // Resolves when it is made; rejects with what went wrong, but not when it was stopped.
  async play(id) {
    this.stop();
    const known = this.made.get(id);
    if (known) return this.player.play(known);
    const take = new Take(this.rate, { input: gettext("Hello. This is how I sound when I read to you."), voice: id });
    const mine = (this.asking = new AbortController());
    try {
      await Promise.all([this.player.play(take), speak(this.url, this.token, take, mine.signal)]);
      this.made.set(id, take);
    } catch (error) {
      if (this.asking === mine) this.stop();
      if (error.name !== "AbortError") throw error;
    }
    return undefined;
  }

  stop() {
    this.asking?.abort();
    this.asking = null;
    this.player.stop();
  }
}
