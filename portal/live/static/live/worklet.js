// In the audio thread: what the microphone gives becomes frames of 0.25 s, 16 kHz mono s16le.
//
// Told: {type: "start", generation} begins anew, {type: "flush"} gives the short last frame and
// stops, {type: "stop"} forgets what is gathered. Tells: {type: "frame", pcm, at, generation} with
// `at` the time of its end (ms), {type: "flushed"}, and {type: "level", rms, peak} ten times a
// second, always.

const RATE = 16000;
const FRAME_SAMPLES = RATE / 4;
const LEVEL_SAMPLES = RATE / 10;
const ZERO_CROSSINGS = 16;
const MOST_AT_ONCE = 4096;

const divisor = (a, b) => (b ? divisor(b, a % b) : a);

/** From a whole rate to another, in blocks of any length: windowed sinc, one kernel per phase. */
class Resampler {
  constructor(from, to) {
    const common = divisor(from, to);
    this.step = from / common;
    this.phases = to / common;
    const cutoff = 0.475 * Math.min(1, to / from); // of the input's rate
    this.half = Math.ceil(ZERO_CROSSINGS / (2 * cutoff));
    this.kernels = Array.from({ length: this.phases }, (_, phase) =>
      this.#kernel(cutoff, phase / this.phases),
    );
    this.line = new Float32Array(2 * this.half + MOST_AT_ONCE);
    this.output = new Float32Array(Math.ceil((MOST_AT_ONCE * to) / from) + 1);
    this.reset();
  }

  #kernel(cutoff, offset) {
    const kernel = new Float32Array(2 * this.half);
    let sum = 0;
    for (let tap = 0; tap < kernel.length; tap++) {
      const t = tap - (this.half - 1) - offset;
      const x = 2 * Math.PI * cutoff * t;
      const window = 0.5 + 0.5 * Math.cos((Math.PI * t) / this.half);
      kernel[tap] = (x ? Math.sin(x) / x : 1) * window;
      sum += kernel[tap];
    }
    return kernel.map((weight) => weight / sum);
  }

  reset() {
    this.line.fill(0);
    this.have = this.half - 1; // silence before the first sample, for a kernel's left half
    this.at = 0; // where the next kernel begins in the line
    this.phase = 0;
  }

  /** Valid until the next call. */
  push(block) {
    this.line.set(block, this.have);
    this.have += block.length;
    let made = 0;
    while (this.at + 2 * this.half <= this.have) {
      const kernel = this.kernels[this.phase];
      let sum = 0;
      for (let tap = 0; tap < kernel.length; tap++) sum += kernel[tap] * this.line[this.at + tap];
      this.output[made++] = sum;
      this.phase += this.step;
      this.at += Math.floor(this.phase / this.phases);
      this.phase %= this.phases;
    }
    this.line.copyWithin(0, this.at, this.have);
    this.have -= this.at;
    this.at = 0;
    return this.output.subarray(0, made);
  }
}

class Frames extends AudioWorkletProcessor {
  constructor() {
    super();
    this.resampler = sampleRate === RATE ? null : new Resampler(sampleRate, RATE);
    this.running = false;
    this.frame = new Int16Array(FRAME_SAMPLES);
    this.filled = 0;
    this.level = { squares: 0, peak: 0, count: 0 };
    this.port.onmessage = ({ data }) => this.told(data);
  }

  told({ type, generation }) {
    if (type === "flush" && this.running && this.filled) this.give();
    this.running = type === "start";
    this.filled = 0;
    if (type === "start") {
      this.generation = generation;
      this.resampler?.reset(); // nothing from before may be in it
    } else if (type === "flush") {
      this.port.postMessage({ type: "flushed" });
    }
  }

  process([input]) {
    const [channel] = input;
    if (channel) this.take(this.resampler ? this.resampler.push(channel) : channel);
    return true;
  }

  take(samples) {
    for (const sample of samples) {
      this.measure(sample);
      if (!this.running) continue;
      const scaled = Math.round(sample * 32768);
      this.frame[this.filled++] = Math.max(-32768, Math.min(32767, scaled));
      if (this.filled === FRAME_SAMPLES) this.give();
    }
  }

  measure(sample) {
    const { level } = this;
    level.squares += sample * sample;
    level.peak = Math.max(level.peak, Math.abs(sample));
    level.count += 1;
    if (level.count < LEVEL_SAMPLES) return;
    const rms = Math.sqrt(level.squares / level.count);
    this.port.postMessage({ type: "level", rms, peak: level.peak });
    this.level = { squares: 0, peak: 0, count: 0 };
  }

  give() {
    const pcm = this.frame.slice(0, this.filled);
    this.filled = 0;
    const { generation } = this;
    this.port.postMessage({ type: "frame", pcm, at: Date.now(), generation }, [pcm.buffer]);
  }
}

registerProcessor("frames", Frames);
