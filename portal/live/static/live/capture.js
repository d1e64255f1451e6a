// The microphone, as it is (no echo or noise "improvements", which eat quiet voices), in frames of
// 0.25 s: 16 kHz mono s16le. Browsers that cannot open it at 16 kHz get the worklet's resampler.

const RATE = 16000;
const WORKLET = new URL("./worklet.js", import.meta.url);
const MUTED_FOR_MS = 1000;
const FLUSH_WITHIN_MS = 1000;

const CODES = {
  NotAllowedError: "denied",
  SecurityError: "denied",
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotReadableError: "busy",
  AbortError: "busy",
};

export class CaptureError extends Error {
  /** `code`: "denied" | "none" | "busy" | "failed" | "lost" */
  constructor(code, cause) {
    super(code, { cause });
    this.code = code;
  }
}

/**
 * Events: "level" with detail {rms, peak} (of 1) ten times a second; "lost" once, when the
 * microphone was removed or stays mute.
 */
export class Capture extends EventTarget {
  /** @type {(pcm: Int16Array, at: number) => void}  a frame and the time of its end (ms) */
  onframe = () => {};
  running = false;
  deviceId = "";
  #generation = 0;
  #sink = null;
  #flushed = null;
  #closed = false;
  #wakeLock = null;

  /** What keeps this browser from recording at all: null | "insecure" | "no-worklet" */
  static problem() {
    if (!globalThis.isSecureContext || !navigator.mediaDevices?.getUserMedia) return "insecure";
    return globalThis.AudioWorkletNode ? null : "no-worklet";
  }

  /** Microphones as [{deviceId, label}]; labels are empty until one was opened. */
  static async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all
      .filter(({ kind }) => kind === "audioinput")
      .map(({ deviceId, label }) => ({ deviceId, label }));
  }

  /** Raises CaptureError. */
  static async open({ deviceId } = {}) {
    const audio = {
      deviceId: deviceId ? { exact: deviceId } : undefined,
      channelCount: 1,
      echoCancellation: false,
      noiseSuppression: false,
      autoGainControl: false,
    };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw new CaptureError(CODES[error.name] ?? "failed", error);
    }
    const capture = new Capture(stream);
    try {
      await capture.#connect();
    } catch (error) {
      capture.close();
      throw new CaptureError("failed", error);
    }
    return capture;
  }

  constructor(stream) {
    super();
    this.stream = stream;
    [this.track] = stream.getAudioTracks();
    this.deviceId = this.track.getSettings().deviceId ?? "";
  }

  async #connect() {
    this.context = new AudioContext({ sampleRate: RATE });
    let source;
    try {
      source = this.context.createMediaStreamSource(this.stream);
    } catch {
      // Some browsers join no microphone to a context of another rate.
      this.context.close();
      this.context = new AudioContext();
      source = this.context.createMediaStreamSource(this.stream);
    }
    await this.context.audioWorklet.addModule(WORKLET);
    this.node = new AudioWorkletNode(this.context, "frames", {
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this.node.port.onmessage = ({ data }) => this.#heard(data);
    // Its output is silence; not every browser runs a node that leads nowhere.
    source.connect(this.node).connect(this.context.destination);

    this.track.addEventListener("ended", this.#lost);
    this.track.addEventListener("mute", this.#muted);
    navigator.mediaDevices.addEventListener("devicechange", this.#checkDevice);
    this.context.addEventListener("statechange", this.#wake);
    document.addEventListener("visibilitychange", this.#wake);
    document.addEventListener("pointerdown", this.#wake);
    this.#wake();
  }

  #heard(message) {
    if (message.type === "level") {
      const { rms, peak } = message;
      this.dispatchEvent(new CustomEvent("level", { detail: { rms, peak } }));
    } else if (message.type === "flushed") {
      this.#flushed?.();
    } else if (message.generation === this.#generation) {
      if (this.#sink) this.#sink(message.pcm);
      else if (this.running) this.onframe(message.pcm, message.at);
    }
  }

  /** A browser stops the audio of a page that sleeps, or that nobody has clicked in yet. */
  #wake = () => {
    if (this.#closed) return;
    if (this.context.state !== "running") this.context.resume().catch(() => {});
    this.#keepScreenOn();
  };

  async #keepScreenOn() {
    if (!this.running || document.hidden || (this.#wakeLock && !this.#wakeLock.released)) return;
    try {
      const lock = await navigator.wakeLock?.request("screen");
      if (this.#closed) lock?.release();
      else this.#wakeLock = lock;
    } catch {
      // The system may refuse, to save its battery.
    }
  }

  #lost = () => {
    if (this.#closed) return;
    this.close();
    this.dispatchEvent(new Event("lost"));
  };

  #muted = () => {
    setTimeout(() => this.track.muted && this.#lost(), MUTED_FOR_MS);
  };

  #checkDevice = async () => {
    const devices = await Capture.devices();
    if (this.deviceId && !devices.some(({ deviceId }) => deviceId === this.deviceId)) this.#lost();
  };

  #begin() {
    this.#generation += 1;
    this.track.enabled = true;
    this.node.port.postMessage({ type: "start", generation: this.#generation });
  }

  /** Frames come from now on; nothing of before is in them. */
  start() {
    this.running = true;
    this.#begin();
    this.#wake();
  }

  /** From now on nothing is kept of what is heard, not even the frame that is being gathered. */
  stop() {
    this.running = false;
    this.#generation += 1;
    this.track.enabled = false;
    this.node?.port.postMessage({ type: "stop" });
  }

  /** Give what is gathered as a short last frame, then stop. */
  async flush() {
    if (!this.running) return;
    await new Promise((resolve) => {
      this.#flushed = resolve;
      this.node.port.postMessage({ type: "flush" });
      setTimeout(resolve, FLUSH_WITHIN_MS); // an audio thread that stands still has nothing to give
    });
    this.#flushed = null;
    this.stop();
  }

  /** So many seconds from now on, kept by nobody else. Raises CaptureError("lost"). */
  async sample(seconds) {
    const samples = new Int16Array(Math.round(seconds * RATE));
    let filled = 0;
    try {
      await new Promise((resolve, reject) => {
        this.addEventListener("lost", () => reject(new CaptureError("lost")), { once: true });
        this.#sink = (pcm) => {
          const part = pcm.subarray(0, samples.length - filled);
          samples.set(part, filled);
          filled += part.length;
          if (filled === samples.length) resolve();
        };
        this.#begin();
      });
    } finally {
      this.#sink = null;
      if (!this.#closed) this.node.port.postMessage({ type: "stop" });
    }
    return samples;
  }

  close() {
    if (this.#closed) return;
    this.stop();
    this.#closed = true;
    this.#wakeLock?.release();
    navigator.mediaDevices.removeEventListener("devicechange", this.#checkDevice);
    document.removeEventListener("visibilitychange", this.#wake);
    document.removeEventListener("pointerdown", this.#wake);
    this.track.stop();
    this.context?.close();
  }
}
