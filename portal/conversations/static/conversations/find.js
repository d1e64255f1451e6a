// <portal-find>: finds what is typed in the transcript around it, whatever its case and accents.
//
// "/" leads to the field from anywhere on the page; Enter and Shift+Enter go from one place to the
// next, Esc clears and leads to the turn one was at. Places are marked with the CSS Custom
// Highlight API, which leaves the words' elements as they are; where there is none, the turn of the
// present place is marked all the same.

const WAIT_MS = 150;
const MARKS = /\p{M}/gu;

const plain = (character) => character.normalize("NFD").replace(MARKS, "").toLowerCase();

/** What is compared: without accents and case, each run of spaces one space. */
const foldedQuery = (text) => [...text.trim().replace(/\s+/g, " ")].map(plain).join("");

/** The same of a text, with where in it each character comes from. */
const folded = (text) => {
  let out = "";
  const from = [];
  let at = 0;
  for (const character of text) {
    const piece = /\s/.test(character) ? " " : plain(character);
    for (let i = 0; i < piece.length; i++) from.push(at);
    out += piece;
    at += character.length;
  }
  from.push(at);
  return { text, out, from };
};

/** Ranges of characters [start, end) of `element`'s text, rising, as StaticRanges. */
const ranges = (element, spans) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  const found = [];
  let node = walker.nextNode();
  let before = 0;
  const place = (offset) => {
    while (node && offset > before + node.length) {
      before += node.length;
      node = walker.nextNode();
    }
    return node ? [node, offset - before] : undefined;
  };
  for (const [start, end] of spans) {
    const from = place(start);
    const to = place(end);
    if (!from || !to) break;
    const [startContainer, startOffset] = from;
    const [endContainer, endOffset] = to;
    found.push(new StaticRange({ startContainer, startOffset, endContainer, endOffset }));
  }
  return found;
};

class PortalFind extends HTMLElement {
  connectedCallback() {
    this.transcript = this.closest("portal-transcript");
    this.field = this.querySelector("input");
    this.count = this.querySelector("[data-find-count]");
    this.steps = [...this.querySelectorAll("[data-find-step]")];
    this.known = new WeakMap();
    this.places = [];
    this.at = -1;
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    this.field.addEventListener("input", () => this.later(), { signal });
    this.field.addEventListener("keydown", (event) => this.key(event), { signal });
    for (const button of this.steps) {
      button.addEventListener("click", () => this.step(Number(button.dataset.findStep)), {
        signal,
      });
    }
    document.addEventListener("keydown", (event) => this.shortcut(event), { signal });
  }

  disconnectedCallback() {
    this.leaving.abort();
    clearTimeout(this.waiting);
    this.unmark();
  }

  shortcut(event) {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    this.field.focus();
    this.field.select();
  }

  key(event) {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && this.field.value) {
      event.preventDefault();
      event.stopPropagation();
      this.clear();
    }
  }

  clear() {
    const turn = this.places[this.at]?.turn;
    this.field.value = "";
    this.find();
    turn?.querySelector(".turn-time")?.focus({ preventScroll: true });
  }

  later() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => this.find(), WAIT_MS);
  }

  /** Go on from where one is; what was typed or changed meanwhile is looked for first. */
  step(by) {
    clearTimeout(this.waiting);
    if (this.looked !== this.field.value || this.places.some(({ turn }) => !turn.isConnected)) {
      this.find();
      if (this.at >= 0 && by > 0) return;
    }
    if (this.places.length) this.show((this.at + by + this.places.length) % this.places.length);
  }

  find() {
    clearTimeout(this.waiting);
    this.looked = this.field.value;
    const query = foldedQuery(this.looked);
    this.places = query ? this.search(query) : [];
    this.at = -1;
    this.highlight();
    for (const button of this.steps) button.disabled = !this.places.length;
    if (this.places.length) this.show(this.nearest());
    else this.count.textContent = query ? this.dataset.textNone : "";
  }

  /** Every place: {turn, range}, in the order of the page. */
  search(query) {
    const places = [];
    for (const element of this.transcript.querySelectorAll("[data-turn] .turn-text")) {
      const { out, from } = this.foldedText(element);
      const spans = [];
      for (let at = out.indexOf(query); at >= 0; at = out.indexOf(query, at + query.length)) {
        spans.push([from[at], from[at + query.length]]);
      }
      if (!spans.length) continue;
      const turn = element.closest("[data-turn]");
      for (const range of ranges(element, spans)) places.push({ turn, range });
    }
    return places;
  }

  foldedText(element) {
    const text = element.textContent;
    let known = this.known.get(element);
    if (known?.text !== text) {
      known = folded(text);
      this.known.set(element, known);
    }
    return known;
  }

  /** The first place that is not above what is in view. */
  nearest() {
    const top = this.getBoundingClientRect().bottom;
    const below = this.places.findIndex(({ turn }) => turn.getBoundingClientRect().bottom > top);
    return Math.max(0, below);
  }

  highlight() {
    this.unmark();
    if (!this.places.length) return;
    CSS.highlights?.set("found", new Highlight(...this.places.map(({ range }) => range)));
  }

  unmark() {
    CSS.highlights?.delete("found");
    CSS.highlights?.delete("found-here");
    this.here?.classList.remove("is-found");
    this.here = undefined;
  }

  show(at) {
    const { turn, range } = this.places[at];
    this.at = at;
    this.count.textContent = this.dataset.textCount
      .replace("{current}", at + 1)
      .replace("{total}", this.places.length);
    if (this.here !== turn) {
      this.here?.classList.remove("is-found");
      turn.classList.add("is-found");
      this.here = turn;
    }
    if (CSS.highlights) {
      const here = new Highlight(range);
      here.priority = 1;
      CSS.highlights.set("found-here", here);
    }
    turn.dispatchEvent(new CustomEvent("transcript-jump", { bubbles: true }));
  }
}

customElements.define("portal-find", PortalFind);
