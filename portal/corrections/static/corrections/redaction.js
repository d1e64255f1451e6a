// <portal-strike>: choosing words of a transcript to strike them out.
//
// What is chosen is what is selected in the text, whoever selected it: the mouse, a finger, or the
// panel's buttons and keys (arrows go from word to word, Shift and an arrow take one word more or
// less). The panel stands beside the selection and leads to the dialog that asks.
//
// The event `redacted` on body ({audio}) says that something was struck or came back: the list is
// fetched anew, and `sound-changed` on the document tells the player. Turns are editing.js's.

const SETTLED_MS = 150;
const GAP_PX = 10;
const LONGEST = 80;

const chat = () => document.querySelector(".chat");

/** The words of a turn; of one whose words have no times, its whole text. */
const wordsOf = (turn) => {
  const words = [...turn.querySelectorAll("[data-w]")];
  return words.length ? words : [...turn.querySelectorAll(".turn-text")];
};
const turnOf = (word) => word.closest("[data-turn]");
const secondsOf = (word) => word.dataset.w ?? turnOf(word).dataset.turnStart;

/** The turn before (-1) or after (1) that has something to choose. */
const turnBeside = (turn, step) => {
  let next = turn;
  do {
    next = step > 0 ? next.nextElementSibling : next.previousElementSibling;
  } while (next && !(next.matches("[data-turn]") && wordsOf(next).length));
  return next;
};

/** The word before or after, also in another turn; the same at either end. */
const wordBeside = (word, step) => {
  const words = wordsOf(turnOf(word));
  const near = words[words.indexOf(word) + step];
  if (near) return near;
  const turn = turnBeside(turnOf(word), step);
  return turn ? wordsOf(turn).at(step > 0 ? 0 : -1) : word;
};

const rangeOf = (first, last) => {
  const range = document.createRange();
  range.setStart(first, 0);
  range.setEnd(last, last.childNodes.length);
  return range;
};

/** Whether letters of `element` are in `range`, not only its edge. */
const holds = (range, element) => {
  if (!range.intersectsNode(element)) return false;
  const inside = rangeOf(element, element);
  if (range.compareBoundaryPoints(Range.START_TO_START, inside) > 0) {
    inside.setStart(range.startContainer, range.startOffset);
  }
  if (range.compareBoundaryPoints(Range.END_TO_END, inside) < 0) {
    inside.setEnd(range.endContainer, range.endOffset);
  }
  return inside.toString().trim() !== "";
};

/** First and last word that are selected, or undefined. */
const chosen = () => {
  const selection = getSelection();
  const turns = chat();
  if (!turns || selection.isCollapsed || !selection.rangeCount) return undefined;
  const range = selection.getRangeAt(0);
  if (!turns.contains(range.commonAncestorContainer)) return undefined;
  const one = range.commonAncestorContainer.parentElement?.closest("[data-turn]");
  const words = [];
  for (const turn of one ? [one] : turns.querySelectorAll("[data-turn]")) {
    if (range.intersectsNode(turn)) words.push(...wordsOf(turn).filter((w) => holds(range, w)));
  }
  return words.length ? { first: words[0], last: words.at(-1) } : undefined;
};

const select = (first, last) => {
  const range = rangeOf(first, last);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
};

const shortened = (text) => {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > LONGEST
    ? `${line.slice(0, LONGEST / 2)} … ${line.slice(-LONGEST / 2)}`
    : line;
};

class PortalStrike extends HTMLElement {
  connectedCallback() {
    this.parts = Object.fromEntries(
      [...this.querySelectorAll("[data-strike]")].map((part) => [part.dataset.strike, part]),
    );
    const { begin, panel, back, forward, less, more, strike, leave } = this.parts;
    begin.addEventListener("click", () => this.begin());
    back.addEventListener("click", () => this.move(-1));
    forward.addEventListener("click", () => this.move(1));
    less.addEventListener("click", () => this.extend(-1));
    more.addEventListener("click", () => this.extend(1));
    leave.addEventListener("click", () => this.leave());
    strike.addEventListener("click", () => this.ask());
    panel.addEventListener("keydown", (event) => this.key(event));
    // A press must not take the selection away.
    panel.addEventListener("mousedown", (event) => event.preventDefault());
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    document.addEventListener("selectionchange", () => this.settle(), { signal });
    addEventListener("scroll", () => this.place(), { signal, passive: true });
    addEventListener("resize", () => this.place(), { signal, passive: true });
  }

  disconnectedCallback() {
    this.leaving.abort();
    clearTimeout(this.settling);
  }

  /** From the turn that has the focus, else the first that can be seen. */
  begin() {
    const turns = [...(chat()?.querySelectorAll("[data-turn]") ?? [])];
    const seen = ({ top, bottom }) => bottom > innerHeight * 0.15 && top < innerHeight;
    const turn =
      turns.find((t) => t.classList.contains("is-heard")) ??
      turns.find((t) => seen(t.getBoundingClientRect())) ??
      turns[0];
    const word = turn && wordsOf(turn)[0];
    if (!word) return;
    this.choose(word, word);
    this.parts.strike.focus({ preventScroll: true });
  }

  choose(first, last) {
    select(first, last);
    last.scrollIntoView({ block: "nearest", behavior: "instant" });
    this.show();
  }

  move(step) {
    const words = chosen();
    if (!words) return;
    const word = wordBeside(step > 0 ? words.last : words.first, step);
    this.choose(word, word);
  }

  extend(step) {
    const words = chosen();
    if (!words) return;
    const { first, last } = words;
    if (step > 0) this.choose(first, wordBeside(last, 1));
    else if (first !== last) this.choose(first, wordBeside(last, -1));
  }

  moveTurn(step) {
    const words = chosen();
    const turn = words && turnBeside(turnOf(words.first), step);
    if (!turn) return;
    const [word] = wordsOf(turn);
    this.choose(word, word);
  }

  key(event) {
    const { key, shiftKey, ctrlKey, altKey, metaKey } = event;
    if (ctrlKey || altKey || metaKey) return;
    const acts = {
      ArrowLeft: () => (shiftKey ? this.extend(-1) : this.move(-1)),
      ArrowRight: () => (shiftKey ? this.extend(1) : this.move(1)),
      ArrowUp: () => this.moveTurn(-1),
      ArrowDown: () => this.moveTurn(1),
      Escape: () => this.leave(),
    };
    if (!Object.hasOwn(acts, key)) return;
    event.preventDefault();
    acts[key]();
  }

  leave() {
    const focused = this.parts.panel.contains(document.activeElement);
    getSelection().removeAllRanges();
    this.show();
    if (focused) this.parts.begin.focus({ preventScroll: true });
  }

  /** A selection that is being made changes many times. */
  settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.show(), SETTLED_MS);
  }

  show() {
    const words = chosen();
    this.parts.panel.hidden = !words;
    if (!words) return;
    const text = `${this.dataset.labelChosen}: «${shortened(getSelection().toString())}»`;
    if (this.parts.chosen.textContent !== text) this.parts.chosen.textContent = text;
    const address = new URL(this.dataset.url, location.href);
    address.searchParams.set("desde", secondsOf(words.first));
    address.searchParams.set("hasta", secondsOf(words.last));
    this.address = address.pathname + address.search;
    this.place();
  }

  /** Below what is selected, and never out of the window. */
  place() {
    const { panel } = this.parts;
    if (panel.hidden || !getSelection().rangeCount) return;
    const box = getSelection().getRangeAt(0).getBoundingClientRect();
    const within = (value, room) => Math.max(GAP_PX, Math.min(value, room - GAP_PX));
    const { offsetWidth, offsetHeight } = panel;
    panel.style.top = `${within(box.bottom + GAP_PX, innerHeight - offsetHeight)}px`;
    panel.style.left = `${within(box.left, innerWidth - offsetWidth)}px`;
  }

  ask() {
    // A failure has been told by its event.
    htmx.ajax("GET", this.address, { target: "#dialog-content" }).catch(() => {});
  }
}

customElements.define("portal-strike", PortalStrike);

document.addEventListener("redacted", ({ detail }) => {
  document.dispatchEvent(new CustomEvent("sound-changed", { detail }));
  getSelection().removeAllRanges();
});

// What is played in the dialog ends where the stretch does.
document.addEventListener("player-time", ({ detail }) => {
  const button = document.querySelector("#dialog-content [data-play-until]");
  if (!detail.playing || detail.audio !== button?.dataset.audio) return;
  const over = detail.time - Number(button.dataset.playUntil);
  if (over >= 0 && over < 1) document.querySelector("portal-player")?.toggle();
});
