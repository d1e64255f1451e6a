// <portal-player>: a bar over one <audio>, which stands outside the pages and plays on while they
// change. Anything on a page plays through it:
//
//   <button data-audio="URL" data-play-from="12.5" data-title="…" data-duration="340">
//
// Without data-play-from a press resumes or pauses that recording. While it plays, the document
// gets `player-time` events, ten a second: {audio, time, playing}.
import { clock } from "../web/js/words.js";
import { Wave } from "./wave.js";

const STEP_S = 5;
const PAGE_S = 30;
const TELL_EVERY_MS = 100;
const NEARLY_OVER_S = 2;
const KEPT = "player";
const RATE = "player-rate";
// Where keys mean something else than to the player; and where the space bar does.
const TAKES_KEYS = "input, textarea, select, [contenteditable], .modal, .offcanvas.show";
const IS_PRESSED = "button, a[href], summary";

/** An address of its own each time: for minutes a browser plays what it has of one without asking,
 * whatever was struck out meanwhile. */
const anew = (url) => `${url}?${Date.now().toString(36)}`;

/** The colours and the title of what is at `url`; throws a Response or a TypeError. */
const soundOf = async (url) => {
  const response = await fetch(new URL("../sonido/", new URL(url, location.href)));
  if (!response.ok) throw response;
  return response.json();
};

class PortalPlayer extends HTMLElement {
  /** Seconds at which a recording was left, by its address. */
  #left = new Map();
  #told = 0;
  #again = false;

  connectedCallback() {
    this.audio = this.querySelector("audio");
    this.parts = Object.fromEntries(
      [...this.querySelectorAll("[data-player]")].map((part) => [part.dataset.player, part]),
    );
    this.wave = new Wave(this.parts.wave);
    const { back, toggle, forward, seek, rate, close } = this.parts;
    back.addEventListener("click", () => this.move(this.audio.currentTime - STEP_S));
    forward.addEventListener("click", () => this.move(this.audio.currentTime + STEP_S));
    toggle.addEventListener("click", () => this.toggle());
    close.addEventListener("click", () => this.close());
    seek.addEventListener("input", () => this.move(Number(seek.value)));
    rate.value = localStorage.getItem(RATE) ?? "1";
    if (!rate.value) rate.value = "1";
    rate.addEventListener("change", () => this.setRate());
    this.setRate();
    for (const name of ["timeupdate", "pause", "durationchange", "seeked", "ended"]) {
      this.audio.addEventListener(name, () => this.show());
    }
    this.audio.addEventListener("play", () => this.watch());
    this.audio.addEventListener("playing", () => {
      this.#again = true;
      this.problem("");
    });
    this.audio.addEventListener("error", () => this.failed());
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-audio]");
      if (button) this.play(button.dataset, button);
    });
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("page-shown", () => this.tell());
    document.addEventListener("sound-changed", ({ detail }) => this.renew(detail.audio));
    document.addEventListener("submit", ({ target }) => {
      if (target.matches("[data-sign-out]")) this.close();
    });
    addEventListener("pagehide", () => this.keep());
    this.recall();
  }

  /** Seconds; a recording made in a browser may not say its own length. */
  get duration() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.#told;
  }

  play({ audio: url, playFrom, title, duration }, opener) {
    this.opener = opener;
    const fresh = url !== this.url;
    if (fresh) this.open(url, { title, duration: Number(duration) || 0 });
    if (playFrom !== undefined) this.move(Number(playFrom));
    else if (!fresh && !this.audio.paused) {
      this.audio.pause();
      return;
    }
    this.start();
  }

  /** Puts a recording in, where it was left. */
  open(url, { title = "", duration = 0 } = {}) {
    if (this.url) this.#left.set(this.url, this.audio.currentTime);
    this.url = url;
    this.#told = duration;
    this.#again = false;
    this.hidden = false;
    this.problem("");
    this.audio.src = anew(url);
    const left = this.#left.get(url) ?? 0;
    if (!duration || left < duration - NEARLY_OVER_S) this.audio.currentTime = left;
    this.parts.title.textContent = title;
    this.parts.title.removeAttribute("href");
    this.wave.show({ peaks: [], spans: [], duration });
    this.show();
    this.describe(url);
  }

  /** Title, way to its page, and waveform; without them it plays all the same. */
  async describe(url) {
    const sound = await soundOf(url).catch(() => undefined);
    if (!sound || url !== this.url) return;
    this.#told ||= sound.duration ?? 0;
    this.parts.title.textContent = `${sound.person} · ${sound.title}`;
    this.parts.title.href = sound.page;
    htmx.process(this.parts.title);
    this.wave.show({ ...sound, duration: this.duration });
    this.show();
  }

  toggle() {
    if (this.audio.paused) this.start();
    else this.audio.pause();
  }

  start() {
    if (this.audio.error) this.reload();
    // Refused when the file cannot be had; the `error` event says so in words.
    this.audio.play().catch(() => {});
  }

  move(seconds) {
    const end = this.duration || Number.POSITIVE_INFINITY;
    this.audio.currentTime = Math.min(Math.max(0, seconds), end);
    this.show();
  }

  setRate() {
    const rate = Number(this.parts.rate.value);
    this.audio.defaultPlaybackRate = rate;
    this.audio.playbackRate = rate;
    localStorage.setItem(RATE, String(rate));
  }

  close() {
    if (this.url) this.#left.set(this.url, this.audio.currentTime);
    this.audio.pause();
    this.url = undefined;
    this.audio.removeAttribute("src");
    this.audio.load();
    this.hidden = true;
    this.tell();
    if (this.opener?.isConnected) this.opener.focus();
    else document.getElementById("main")?.focus({ preventScroll: true });
  }

  key(event) {
    const { key, target } = event;
    if (!this.url || event.defaultPrevented) return;
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const slider = target === this.parts.seek;
    const leaves = key === "Escape" && this.contains(target);
    if (target.closest(TAKES_KEYS) && !slider && !leaves) return;
    if (key === " " && target.closest(IS_PRESSED)) return;
    const { currentTime } = this.audio;
    const acts = {
      " ": () => this.toggle(),
      ArrowLeft: () => this.move(currentTime - STEP_S),
      ArrowRight: () => this.move(currentTime + STEP_S),
      Escape: () => this.close(),
      ...(slider && {
        PageDown: () => this.move(currentTime - PAGE_S),
        PageUp: () => this.move(currentTime + PAGE_S),
        Home: () => this.move(0),
        End: () => this.move(this.duration),
      }),
    };
    if (!Object.hasOwn(acts, key)) return;
    event.preventDefault();
    acts[key]();
  }

  /** The same recording again, from where it is: it may have another file or address by now. */
  reload() {
    const at = this.audio.currentTime;
    this.audio.src = anew(this.url);
    this.audio.currentTime = at;
  }

  /** What is at `url` sounds otherwise by now: nothing of what the browser has of it is played. */
  renew(url) {
    if (url !== this.url) return;
    const { paused } = this.audio;
    this.reload();
    this.describe(url);
    if (!paused) this.start();
  }

  async failed() {
    if (!this.url) return;
    const { url } = this;
    if (this.#again) {
      this.#again = false;
      this.reload();
      this.audio.play().catch(() => {});
      return;
    }
    this.show();
    const { textFailed, textGone, textSession, textOffline } = this.dataset;
    const words = await soundOf(url).then(
      () => textFailed,
      (error) => {
        if (!(error instanceof Response)) return textOffline;
        return { 401: textSession, 404: textGone }[error.status] ?? textFailed;
      },
    );
    if (url === this.url) this.problem(words);
  }

  problem(text) {
    this.parts.problem.textContent = text;
    this.parts.problem.hidden = !text;
  }

  /** While it plays, and not only when the browser finds it worth an event. */
  watch() {
    clearInterval(this.watching);
    this.watching = setInterval(() => {
      if (this.audio.paused) clearInterval(this.watching);
      else this.show();
    }, TELL_EVERY_MS);
    this.show();
  }

  show() {
    const { time, duration, seek, toggle } = this.parts;
    const now = this.audio.currentTime;
    const words = `${clock(now)} ${this.dataset.labelOf} ${clock(this.duration)}`;
    time.textContent = clock(now);
    duration.textContent = this.duration ? clock(this.duration) : "";
    seek.max = String(this.duration);
    seek.value = String(now);
    if (seek.getAttribute("aria-valuetext") !== words) seek.setAttribute("aria-valuetext", words);
    this.wave.hear(this.duration ? now / this.duration : 0);
    const paused = this.audio.paused;
    toggle.firstElementChild.className = `bi ${paused ? "bi-play-fill" : "bi-pause-fill"}`;
    toggle.setAttribute("aria-label", paused ? this.dataset.labelPlay : this.dataset.labelPause);
    this.tell();
  }

  tell() {
    const playing = Boolean(this.url) && !this.audio.paused;
    for (const button of document.querySelectorAll("[data-audio]:not([data-play-from])")) {
      button.classList.toggle("is-playing", playing && button.dataset.audio === this.url);
    }
    document.dispatchEvent(
      new CustomEvent("player-time", {
        detail: { audio: this.url, time: this.audio.currentTime, playing },
      }),
    );
  }

  /** For the next document of this tab; neither title nor name. */
  keep() {
    if (this.url) {
      const { currentTime: time } = this.audio;
      sessionStorage.setItem(KEPT, JSON.stringify({ url: this.url, time }));
    } else sessionStorage.removeItem(KEPT);
  }

  recall() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    sessionStorage.removeItem(KEPT);
    if (!kept) return;
    this.#left.set(kept.url, kept.time);
    soundOf(kept.url).then(
      ({ duration }) => this.url ?? this.open(kept.url, { duration: duration ?? 0 }),
      () => {}, // somebody else's by now, or gone
    );
  }
}

customElements.define("portal-player", PortalPlayer);
