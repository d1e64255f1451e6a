// How loud it is: a bar that moves with the voice and, over some seconds, a verdict in a word.
import { say } from "../web/js/words.js";

// Capture measures ten times a second.
const WINDOW = 60;
const FIRST_AFTER = 12;
const ICONS = {
  wait: "bi-soundwave",
  nothing: "bi-volume-mute",
  low: "bi-volume-down",
  good: "bi-check-circle-fill",
  high: "bi-exclamation-triangle",
};
// A verdict must hold for so many readings before it is said.
const STEADY = 8;
// Speech fills part of the time only: this share of the readings is quieter than it.
const QUIETER = 0.85;
const NOTHING_RMS = 0.0015;
const LOW_RMS = 0.012;
const CLIPPED_PEAK = 0.985;
const CLIPPED_READINGS = 4;
const FLOOR_DB = -60;

/** 0 to 1 over the 60 dB below full scale, which is how loudness is felt. */
const share = (rms) => {
  const decibels = 20 * Math.log10(Math.max(rms, 1e-6));
  return Math.min(1, Math.max(0, 1 - decibels / FLOOR_DB));
};

/** The bar: `element` is a role=meter with .level-value in it. */
export class Meter {
  constructor(element) {
    this.element = element;
    this.readings = 0;
  }

  show(rms) {
    const level = share(rms);
    this.element.style.setProperty("--level", level.toFixed(3));
    // A reader that asks gets a number that holds for a second.
    if (this.readings++ % 10 === 0) {
      this.element.setAttribute("aria-valuenow", Math.round(level * 100));
    }
  }
}

/** The verdict over the last seconds, in `element` (data-text-*, data-advice-*). */
export class Verdict {
  constructor(element) {
    this.element = element;
    this.word = element.querySelector("[data-verdict=word]");
    this.advice = element.querySelector("[data-verdict=advice]");
    this.reset();
  }

  reset() {
    this.readings = [];
    this.steady = 0;
    this.tell("wait");
  }

  hear({ rms, peak }) {
    this.readings.push({ rms, peak });
    if (this.readings.length > WINDOW) this.readings.shift();
    if (this.readings.length < FIRST_AFTER) return;
    const now = this.judge();
    this.steady = now === this.candidate ? this.steady + 1 : 0;
    this.candidate = now;
    if (this.steady >= STEADY && now !== this.told) this.tell(now);
  }

  judge() {
    const clipped = this.readings.filter(({ peak }) => peak >= CLIPPED_PEAK);
    if (clipped.length >= CLIPPED_READINGS) return "high";
    const sorted = this.readings.map(({ rms }) => rms).sort((a, b) => a - b);
    const loud = sorted[Math.floor(sorted.length * QUIETER)];
    if (loud < NOTHING_RMS) return "nothing";
    return loud < LOW_RMS ? "low" : "good";
  }

  tell(verdict) {
    const { dataset } = this.element;
    const name = verdict[0].toUpperCase() + verdict.slice(1);
    this.told = verdict;
    dataset.verdict = verdict;
    this.element.querySelector(".bi").className = `bi ${ICONS[verdict]}`;
    say(this.word, dataset[`text${name}`]);
    say(this.advice, dataset[`advice${name}`]);
  }
}
