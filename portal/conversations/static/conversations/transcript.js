// <portal-transcript>: the turns of a conversation, heard as they are read.
//
// A click on a word plays from there; the turn and the word being spoken are marked; "Seguir"
// scrolls along until the reader scrolls. Of all the turns' time buttons one can be reached with
// Tab; the arrows go from there to the others.
//
// What is heard comes as `player-time` events of the document (player.js). Turns may be replaced,
// added and removed at any time (conversations/turn.html). The event `transcript-jump`, with a turn
// as its target, leads the reader there; so does a link to "#turno-N".

const SCROLLING_KEYS = new Set(["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown", " "]);
/** How many turns that began earlier may still be going on, by times, when the next begins. */
const LOOK_BACK = 8;

/** Index of the last of `starts` (rising) that is not after `time`, or -1. */
const lastBefore = (starts, time) => {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= time) low = middle + 1;
    else high = middle;
  }
  return low - 1;
};

/** The field that `element` is or stands in, or null. */
const typing = (element) => element?.closest("input, textarea, select, [contenteditable]") ?? null;

class PortalTranscript extends HTMLElement {
  connectedCallback() {
    this.chat = this.querySelector(".chat");
    this.followButton = this.querySelector("[data-follow]");
    this.stale = true;
    this.playing = false;
    this.wanted = true; // what the button says; scrolling away only interrupts it
    // Who came for a certain turn is not carried away from it.
    this.following = !location.hash;
    this.tabStops();
    this.observer = new MutationObserver(() => {
      this.stale = true;
      this.tabStops();
    });
    this.observer.observe(this.chat, { childList: true });
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    const passive = { signal, passive: true };
    document.addEventListener("player-time", ({ detail }) => this.heardAt(detail), { signal });
    document.addEventListener("keydown", (event) => this.scrolledByKey(event), { signal });
    document.addEventListener("wheel", () => this.scrolled(), passive);
    document.addEventListener("touchmove", () => this.scrolled(), passive);
    document.addEventListener("pointerdown", (event) => this.scrolledByBar(event), { signal });
    document.addEventListener("click", (event) => this.led(event), { signal });
    this.addEventListener("transcript-jump", ({ target }) => this.show(target), { signal });
    this.addEventListener("keydown", (event) => this.walk(event), { signal });
    this.addEventListener("focusin", ({ target }) => this.makeTabStop(target), { signal });
    this.chat.addEventListener("click", (event) => this.playWord(event), { signal });
    this.followButton?.addEventListener("click", () => this.want(!this.following), { signal });
    this.showFollowing();
  }

  disconnectedCallback() {
    this.leaving.abort();
    this.observer.disconnect();
  }

  // Hearing

  playWord({ target }) {
    if (target.closest("[data-play-from]")) this.follow(this.wanted);
    const word = target.closest("[data-w]");
    // Words are also selected, which ends in a click.
    if (!word || !getSelection().isCollapsed) return;
    this.play(word.closest("[data-turn]"), word.dataset.w);
  }

  /** Through the turn's own button, which knows the recording and takes the focus back. */
  play(turn, seconds) {
    const button = turn.querySelector("[data-play-from]");
    const own = button.dataset.playFrom;
    button.dataset.playFrom = seconds;
    button.click();
    button.dataset.playFrom = own;
  }

  heardAt({ audio, time, playing }) {
    const ours = audio === this.dataset.recording;
    const turn = ours ? this.turnAt(time) : undefined;
    const word = turn ? this.wordAt(turn, time) : undefined;
    this.mark(turn, word, ours && playing);
  }

  turnAt(time) {
    if (this.stale) this.index();
    const last = lastBefore(this.starts, time);
    for (let i = last; i >= 0 && i > last - LOOK_BACK; i--) {
      if (time < this.ends[i]) return this.turns[i];
    }
    return undefined;
  }

  index() {
    const number = (turn, name) => Number(turn.dataset[name]);
    this.turns = [...this.chat.querySelectorAll("[data-turn]")].sort(
      (a, b) => number(a, "turnStart") - number(b, "turnStart"),
    );
    this.starts = this.turns.map((turn) => number(turn, "turnStart"));
    this.ends = this.turns.map((turn) => number(turn, "turnEnd"));
    this.wordsFrom = undefined;
    this.stale = false;
  }

  wordAt(turn, time) {
    // The text of a turn may be drawn anew while the turn stays.
    const text = turn.querySelector(".turn-text");
    if (this.wordsFrom !== text || !this.words[0]?.isConnected) {
      this.wordsFrom = text;
      this.words = text ? [...text.querySelectorAll("[data-w]")] : [];
      this.wordStarts = this.words.map((word) => Number(word.dataset.w));
    }
    return this.words[lastBefore(this.wordStarts, time)];
  }

  mark(turn, word, playing) {
    const started = playing && !this.playing;
    this.playing = playing;
    if (turn === this.heard && word === this.spoken && !started) return;
    // Read before anything is changed, or the page would be laid out for each word.
    const place = playing && this.following ? this.placeFor(word ?? turn) : undefined;
    if (turn !== this.heard) {
      this.heard?.classList.remove("is-heard");
      turn?.classList.add("is-heard");
      this.heard = turn;
    }
    if (word !== this.spoken) {
      this.spoken?.classList.remove("is-spoken");
      word?.classList.add("is-spoken");
      this.spoken = word;
    }
    if (place !== undefined) this.scroll(place);
  }

  // Following

  want(following) {
    this.wanted = following;
    this.follow(following);
    const heard = this.spoken ?? this.heard;
    if (following && heard) this.scroll(this.placeFor(heard) ?? scrollY);
  }

  follow(following) {
    this.following = following;
    this.showFollowing();
  }

  showFollowing() {
    this.followButton?.setAttribute("aria-pressed", String(this.following));
  }

  /** Where to scroll for `element` to be well in view, if it is not and nobody is at work here. */
  placeFor(element) {
    if (!element || this.busy()) return undefined;
    const box = element.getBoundingClientRect();
    if (box.top > innerHeight * 0.2 && box.bottom < innerHeight * 0.75) return undefined;
    return scrollY + box.top - innerHeight * 0.35;
  }

  /** Somebody writes or selects in the text. */
  busy() {
    const selection = getSelection();
    return (
      this.chat.contains(typing(document.activeElement)) ||
      (!selection.isCollapsed && this.chat.contains(selection.anchorNode))
    );
  }

  scroll(top) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    scrollTo({ top, behavior: calm ? "instant" : "smooth" });
  }

  scrolled() {
    if (this.playing) this.follow(false);
  }

  scrolledByKey({ key, target, defaultPrevented }) {
    if (!SCROLLING_KEYS.has(key) || defaultPrevented || typing(target)) return;
    if (key !== " " || !target.closest("button, a, summary")) this.scrolled();
  }

  scrolledByBar({ target }) {
    if (target === document.documentElement) this.scrolled();
  }

  // Being led to a turn

  led(event) {
    const link = event.target.closest('a[href^="#turno-"]');
    const turn = link && this.chat.querySelector(`[id="${CSS.escape(link.hash.slice(1))}"]`);
    if (!turn) return;
    this.show(turn);
    // After the browser has gone there, which takes the focus away.
    setTimeout(() => turn.querySelector(".turn-time").focus({ preventScroll: true }));
  }

  show(turn) {
    this.follow(false);
    turn.scrollIntoView({ block: "center", behavior: "instant" });
  }

  // The keyboard

  buttons() {
    return [...this.chat.querySelectorAll(".turn-time")];
  }

  tabStops() {
    const buttons = this.buttons();
    if (!buttons.includes(this.tabStop)) this.tabStop = buttons[0];
    for (const button of buttons) button.tabIndex = button === this.tabStop ? 0 : -1;
  }

  makeTabStop(target) {
    const button = target.closest("[data-turn]")?.querySelector(".turn-time");
    if (!button || button === this.tabStop) return;
    if (this.tabStop) this.tabStop.tabIndex = -1;
    button.tabIndex = 0;
    this.tabStop = button;
  }

  walk(event) {
    if (!event.target.matches(".turn-time") || event.altKey || event.ctrlKey || event.metaKey)
      return;
    const buttons = this.buttons();
    const at = buttons.indexOf(event.target);
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const button = buttons[to];
    if (!button) return;
    button.focus({ preventScroll: true });
    this.show(button.closest("[data-turn]"));
  }
}

customElements.define("portal-transcript", PortalTranscript);
