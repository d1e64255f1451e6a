// Five seconds of each voice, with a countdown; each may be taken again or left out.
import { fill, partsOf, say } from "../web/js/words.js";

const SECONDS = 5;
const SILENT_RMS = 0.004;

const loudness = (samples) => {
  let sum = 0;
  for (const sample of samples) sum += (sample / 32768) ** 2;
  return Math.sqrt(sum / Math.max(1, samples.length));
};

export class Samples {
  constructor(root) {
    this.root = root;
    this.texts = root.dataset;
    this.capture = null;
    /** Role -> Int16Array. */
    this.taken = {};
    this.said = root.querySelector("[data-live=samples-said]");
    this.skip = root.querySelector("[data-live=skip]");
    this.rows = [...root.querySelectorAll("[data-sample]")].map((row) => ({
      role: row.dataset.sample,
      row,
      ring: row.querySelector(".ring-value"),
      ...partsOf(row, "sample-part"),
    }));
    for (const one of this.rows) {
      one.hint = one.status.textContent;
      one.take.addEventListener("click", () => this.take(one));
    }
    this.skip.addEventListener("click", () => this.leaveOut());
  }

  /** While the microphone is no good, or a sample is being taken, none can be begun. */
  allow(may) {
    this.skip.disabled = !may;
    for (const { take } of this.rows) take.disabled = !may;
  }

  get busy() {
    return this.rows.some(({ row }) => row.dataset.state === "taking");
  }

  async take(one) {
    // The button keeps the focus, so it is told and not disabled.
    if (this.busy) return;
    delete this.taken[one.role];
    this.state(one, "taking");
    say(this.said, this.texts.textSpeak);
    const counting = this.countDown(one);
    try {
      const samples = await this.capture.sample(SECONDS);
      if (loudness(samples) < SILENT_RMS) this.end(one, "failed", this.texts.textSilent);
      else {
        this.taken[one.role] = samples;
        this.end(one, "taken", this.texts.textTaken);
      }
    } catch {
      this.end(one, "failed", this.texts.textFailed);
    } finally {
      clearInterval(counting);
      one.ring.setAttribute(
        "stroke-dasharray",
        one.row.dataset.state === "taken" ? "100 0" : "0 100",
      );
      one.number.replaceChildren(this.icon(one.row.dataset.state));
    }
  }

  countDown(one) {
    const begun = performance.now();
    const show = () => {
      const gone = Math.min(SECONDS, (performance.now() - begun) / 1000);
      const left = String(Math.max(1, Math.ceil(SECONDS - gone)));
      one.ring.setAttribute("stroke-dasharray", `${(100 * gone) / SECONDS} 100`);
      say(one.number, left);
      say(one.status, fill(this.texts.textListening, { seconds: left }));
    };
    show();
    return setInterval(show, 100);
  }

  icon(state) {
    const icon = document.createElement("i");
    icon.className = `bi ${{ taken: "bi-check-lg", failed: "bi-exclamation-lg" }[state] ?? "bi-person"}`;
    return icon;
  }

  state(one, state) {
    one.row.dataset.state = state;
    one.take.setAttribute("aria-disabled", String(state === "taking"));
    say(one.take, state === "new" ? this.texts.textTake : this.texts.textAgain);
  }

  end(one, state, words) {
    this.state(one, state);
    say(one.status, words);
    say(this.said, words);
  }

  leaveOut() {
    if (this.busy) return;
    this.taken = {};
    for (const one of this.rows) {
      this.state(one, "new");
      one.status.textContent = one.hint;
      one.ring.setAttribute("stroke-dasharray", "0 100");
      one.number.replaceChildren(this.icon("new"));
    }
    say(this.said, this.texts.textNone);
    this.root.dispatchEvent(new Event("skipped"));
  }
}
