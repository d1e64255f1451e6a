// The waveform on a canvas: one bar for a few pixels, in the colour of who speaks, strong as far as
// it has been heard. Drawn here and not by a library: see docs/decisions/playback.md.

const BAR = 3;
const GAP = 1;
const LEAST = 0.08;
const UNHEARD = 0.4;
const ROLES = ["empleado", "usuario", "otro"];

/** The loudest of `peaks` (0 to 100) for each of `count` bars, as a share of the height. */
const heights = (peaks, count) =>
  Array.from({ length: count }, (_, bar) => {
    const from = Math.floor((bar * peaks.length) / count);
    const to = Math.max(from + 1, Math.floor(((bar + 1) * peaks.length) / count));
    return Math.max(LEAST, ...peaks.slice(from, to).map((peak) => peak / 100));
  });

/** Who speaks in the middle of each of `count` bars; `spans`: [[start, end, role]] in order. */
const roles = (spans, duration, count) => {
  let at = 0;
  return Array.from({ length: count }, (_, bar) => {
    const time = ((bar + 0.5) * duration) / count;
    while (at < spans.length && spans[at][1] < time) at += 1;
    return at < spans.length && spans[at][0] <= time ? spans[at][2] : undefined;
  });
};

export class Wave {
  #canvas;
  #sound = { peaks: [], spans: [], duration: 0 };
  #heard = 0;
  #bars = [];

  constructor(canvas) {
    this.#canvas = canvas;
    new ResizeObserver(() => this.#layOut()).observe(canvas);
    new MutationObserver(() => this.#draw()).observe(document.documentElement, {
      attributeFilter: ["data-bs-theme"],
    });
  }

  /** `sound`: {peaks, spans, duration} as conversations:sound gives them. */
  show(sound) {
    this.#sound = sound;
    this.#layOut();
  }

  /** `share`: how much has been heard, 0 to 1. */
  hear(share) {
    const before = Math.round(this.#heard * this.#bars.length);
    this.#heard = share;
    if (Math.round(share * this.#bars.length) !== before) this.#draw();
  }

  #layOut() {
    const { width, height } = this.#canvas.getBoundingClientRect();
    if (!width) return;
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    const { peaks, spans, duration } = this.#sound;
    const count = Math.max(1, Math.floor((width + GAP) / (BAR + GAP)));
    const speaking = roles(spans, duration, count);
    this.#bars = heights(peaks, count).map((bar, at) => ({ height: bar, role: speaking[at] }));
    this.#draw();
  }

  #draw() {
    const { width, height } = this.#canvas;
    const pen = this.#canvas.getContext("2d");
    const style = getComputedStyle(this.#canvas);
    const colours = Object.fromEntries(
      ROLES.map((role) => [role, style.getPropertyValue(`--wave-${role}`)]),
    );
    const step = width / this.#bars.length;
    const thick = Math.max(1, step - GAP * devicePixelRatio);
    const heard = this.#heard * this.#bars.length;
    pen.clearRect(0, 0, width, height);
    for (const [at, bar] of this.#bars.entries()) {
      pen.fillStyle = colours[bar.role] ?? style.getPropertyValue("--wave-nobody");
      pen.globalAlpha = at < heard ? 1 : UNHEARD;
      pen.fillRect(at * step, (height * (1 - bar.height)) / 2, thick, height * bar.height);
    }
  }
}
