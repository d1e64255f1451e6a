// <portal-player>: a bar over one <audio>. Anything on the page plays through it:
//
//   <button data-audio="URL" data-play-from="12.5" data-title="…" data-duration="340">
//
// Without data-play-from a press resumes or pauses that recording. While it plays, the document
// gets `player-time` events: {audio, time, playing}.

const STEP_S = 5;

const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
};

class PortalPlayer extends HTMLElement {
  connectedCallback() {
    this.audio = this.querySelector("audio");
    this.parts = Object.fromEntries(
      [...this.querySelectorAll("[data-player]")].map((part) => [part.dataset.player, part]),
    );
    const { back, toggle, forward, seek, close } = this.parts;
    back.addEventListener("click", () => this.move(this.audio.currentTime - STEP_S));
    forward.addEventListener("click", () => this.move(this.audio.currentTime + STEP_S));
    toggle.addEventListener("click", () => this.toggle());
    close.addEventListener("click", () => this.close());
    seek.addEventListener("input", () => this.move(Number(seek.value)));
    this.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    for (const name of ["timeupdate", "play", "pause", "durationchange", "seeked", "ended"]) {
      this.audio.addEventListener(name, () => this.show());
    }
    this.audio.addEventListener("error", () => {
      if (this.url) this.problem(this.dataset.labelFailed);
    });
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-audio]");
      if (button) this.play(button);
    });
  }

  /** Seconds; a recording made in a browser may not say its own length. */
  get duration() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.told || 0;
  }

  play(button) {
    const { audio: url, playFrom, title, duration } = button.dataset;
    this.opener = button;
    const fresh = url !== this.url;
    if (fresh) {
      this.url = url;
      this.told = Number(duration) || 0;
      this.audio.src = url;
      this.parts.title.textContent = title ?? "";
    }
    this.hidden = false;
    this.problem("");
    if (playFrom !== undefined) this.move(Number(playFrom));
    else if (!fresh && !this.audio.paused) {
      this.audio.pause();
      return;
    }
    this.start();
  }

  toggle() {
    if (this.audio.paused) this.start();
    else this.audio.pause();
  }

  start() {
    // Refused when the file cannot be had; the `error` event says so in words.
    this.audio.play().catch(() => {});
  }

  move(seconds) {
    const end = this.duration || Number.POSITIVE_INFINITY;
    this.audio.currentTime = Math.min(Math.max(0, seconds), end);
    this.show();
  }

  close() {
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.url = undefined;
    this.hidden = true;
    this.tell();
    this.opener?.focus();
  }

  problem(text) {
    this.parts.problem.textContent = text;
    this.parts.problem.hidden = !text;
  }

  show() {
    const { time, duration, seek, toggle } = this.parts;
    const now = this.audio.currentTime;
    time.textContent = clock(now);
    duration.textContent = this.duration ? clock(this.duration) : "";
    seek.max = String(Math.ceil(this.duration));
    seek.value = String(now);
    seek.setAttribute(
      "aria-valuetext",
      `${clock(now)} ${this.dataset.labelOf} ${clock(this.duration)}`,
    );
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
}

customElements.define("portal-player", PortalPlayer);
