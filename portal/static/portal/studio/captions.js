// Shows in the text itself what is being said: behind the textarea lies the same text, in which the
// spoken part is marked. Marks count code points, strings count UTF-16 units.

export class Captions {
  constructor(textarea, behind) {
    Object.assign(this, { textarea, behind, shown: null });
    textarea.addEventListener("scroll", () => this.#align());
    new ResizeObserver(() => this.#align()).observe(textarea);
  }

  show(mark) {
    if (mark === this.shown) return;
    this.shown = mark;
    if (!mark) return this.behind.replaceChildren();
    const points = Array.from(this.textarea.value);
    const [before, said] = [points.slice(0, mark.offset), points.slice(mark.offset, mark.offset + mark.length)];
    const marked = document.createElement("mark");
    marked.textContent = said.join("");
    this.behind.replaceChildren(before.join(""), marked, points.slice(mark.offset + mark.length).join(""));
    this.#align();
    return this.#reveal(marked);
  }

  #align() {
    this.behind.style.width = `${this.textarea.clientWidth}px`;
    this.behind.scrollTop = this.textarea.scrollTop;
  }

  #reveal(marked) {
    const { offsetTop: top, offsetHeight: tall } = marked;
    const { scrollTop, clientHeight } = this.textarea;
    if (top >= scrollTop && top + tall <= scrollTop + clientHeight) return;
    this.textarea.scrollTop = top - clientHeight / 3;
    this.behind.scrollTop = this.textarea.scrollTop;
  }
}
