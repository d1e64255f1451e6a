// One recording in this page: the microphone's frames go to the outbox and from there over the
// link, and the state machine says what may happen when. Words for people come from the caller.

import { post } from "../web/js/requests.js";
import { Link } from "./link.js";
import { deliver, hold, isUnsent, Kind, lockName, Outbox, RATE } from "./outbox.js";
import { Ticks } from "./requests.js";

const NEXT = {
  connecting: ["recording", "interrupted", "stopping", "stored"],
  recording: ["paused", "private", "stopping", "interrupted", "stored"],
  paused: ["recording", "private", "stopping", "interrupted", "stored"],
  private: ["recording", "paused", "stopping", "interrupted", "stored"],
  interrupted: ["connecting", "stopping", "stored"],
  stopping: ["stored"],
  stored: [],
};
const PAUSES = { paused: Kind.PAUSED, private: Kind.PRIVATE };
const WELCOME_WITHIN_MS = 5000;
// The machine slept: no browser is so late with a frame of 0.25 s.
const SLEPT_MS = 2000;
const LOOK_AGAIN_MS = 500;

/**
 * Events, with their detail: "state" {state}; "time" {seconds}; "saved" {seconds};
 * "connection" {online, retryIn}; "turns" {turns}; "partial" {text}; "coverage" {ticks, leftOut};
 * "transcription" {status}; "problem" {code, message, final}; "ended" {url} (null: discarded).
 *
 * Problems: those of the server by name (see CODES of link.js) with its sentence; "busy" without
 * one (another tab of this browser), "microphone-lost", "storage-full", "no-storage", "offline"
 * (said while `finish` waits), "too-long". After a final one, this page cannot go on by itself.
 */
export class Recorder extends EventTarget {
  #addresses;
  #maxSeconds;
  #lastAt;
  #savedBefore;
  #state = "connecting";
  #begun = false;
  #capture = null;
  #outbox = null;
  #link = null;
  #lock = null;
  #stolen = false; // from another tab, which may still write to its part
  #pausedAt = 0;
  #others = Promise.resolve({ done: true });
  #stop = new AbortController();
  #finishing = null;
  #ticks;
  #url;

  /**
   * `addresses`: {id, socket, finish, discard, tick}; `lastAt`: when something was last heard of it
   * (ms), for one that goes on; `savedSeconds`: what the server has of it.
   */
  constructor({ addresses, maxSeconds, lastAt = 0, savedSeconds = 0 }) {
    super();
    this.#addresses = addresses;
    this.#maxSeconds = maxSeconds;
    this.#lastAt = lastAt;
    this.#savedBefore = savedSeconds;
    this.#ticks = new Ticks(addresses.tick, (problem) => this.#emit("problem", problem));
    addEventListener("beforeunload", this.#warn);
  }

  get state() {
    return this.#state;
  }

  /** On disk at the server. */
  get savedSeconds() {
    return Math.max(this.#outbox?.savedSeconds ?? 0, this.#savedBefore);
  }

  /** In this browser only, so far. */
  get pendingSeconds() {
    return this.#outbox?.pendingSeconds ?? 0;
  }

  /** Recorded so far, without pauses. */
  get seconds() {
    return this.savedSeconds + this.pendingSeconds;
  }

  #warn = (event) => {
    const leaves = this.#state === "stored" || (!this.#begun && this.#state === "connecting");
    const stands = ["interrupted", "stopping"].includes(this.#state) && !this.#finishing;
    const idle = stands && !this.#outbox?.pending;
    if ((!leaves && !idle) || this.#ticks.pending) event.preventDefault();
  };

  #to(state) {
    if (!NEXT[this.#state].includes(state)) throw new Error(`${this.#state} -> ${state}`);
    this.#state = state;
    this.#emit("state", { state });
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #problem(code, { message = "", final = false } = {}) {
    this.#emit("problem", { code, message, final });
  }

  /**
   * Record from now on, or go on after an interruption. `takeover` ends whoever records it now.
   * False when it cannot be; a "problem" has said why.
   */
  async begin(capture, { takeover = false } = {}) {
    if (this.#state === "interrupted") this.#to("connecting");
    else if (this.#state !== "connecting" || this.#begun) throw new Error(this.#state);
    this.#begun = true;
    this.#capture = capture;
    capture.addEventListener("lost", () => capture === this.#capture && this.#microphoneLost());
    if (!(await this.#take(takeover))) {
      this.#problem("busy", { final: true });
      this.#interrupt();
      return false;
    }
    navigator.storage?.persist?.().catch(() => {});
    await this.#attach(takeover);
    if (this.#state !== "connecting") return false;
    const since = this.#outbox.lastAt || this.#lastAt;
    if (since) this.#append(Kind.INTERRUPTED, Date.now() - since);
    capture.onframe = (pcm, at) => this.#frame(pcm, at);
    capture.start();
    this.#to("recording");
    this.#link.setState("recording");
    return true;
  }

  /** The right to record it in this browser; whoever sends its leftovers in another tab stops. */
  async #take(takeover) {
    if (this.#lock) return true;
    const { id } = this.#addresses;
    let lock = await hold(lockName(id));
    this.#stolen = !lock;
    if (!lock && takeover) lock = await hold(lockName(id), { steal: true });
    if (!lock) return false;
    const sender = await hold(`${lockName(id)}:drain`, { steal: true });
    this.#lock = {
      release: () => {
        sender.release();
        lock.release();
      },
    };
    lock.taken.then(() => this.#displaced());
    return true;
  }

  /** Another tab of this browser goes on, and sends what we had not. */
  #displaced() {
    if (this.#state === "stored") return;
    this.#lock = null;
    this.#link?.close();
    this.#outbox?.close();
    this.#problem("taken-over", { final: true });
    this.#interrupt();
  }

  /** A part of our own and a link for it: that of before where it goes on, else a new one. */
  async #attach(takeover) {
    if (this.#link && !this.#link.ended) return;
    const { id, socket } = this.#addresses;
    this.#link?.close();
    const known = await Outbox.parts(id);
    const last = this.#stolen ? undefined : known.filter(({ refused }) => !refused).at(-1);
    if (last) {
      const welcome = await this.#connect(new Outbox({ ...last, socket }), takeover);
      if (welcome?.last_part === last.part) return;
      if (this.#state !== "connecting") return;
      // Another device went on after our part, or nobody can say: then what follows is a new part.
      this.#lastAt = Math.max(this.#lastAt, this.#outbox.lastAt);
      this.#link.close();
      this.#outbox.close();
    }
    await this.#connect(Outbox.create({ recording: id, socket }), takeover);
    const left = (await Outbox.parts(id)).filter(
      (row) => row.part !== this.#outbox.part && isUnsent(row),
    );
    if (left.length) this.#others = deliver(left, { signal: this.#stop.signal });
  }

  /** The server's welcome; undefined when it refused, or has not answered in time. */
  #connect(outbox, takeover) {
    this.#outbox = outbox;
    const link = new Link({ outbox, mode: "record", takeover });
    this.#link = link;
    const hear = (name, told) =>
      link.addEventListener(name, ({ detail }) => link === this.#link && told(detail));
    outbox.addEventListener("problem", ({ detail }) => this.#problem(detail.code));
    hear("connection", (detail) => {
      this.#emit("connection", detail);
      if (this.#finishing && !detail.online && detail.retryIn !== null) this.#problem("offline");
    });
    hear("ack", () => this.#saved());
    hear("message", (message) => this.#message(message));
    hear("refused", (refusal) => this.#refused(refusal));
    return new Promise((resolve) => {
      hear("welcome", (welcome) => {
        this.#saved();
        this.#emit("turns", { turns: welcome.turns });
        this.#emit("coverage", { ticks: welcome.ticks, leftOut: welcome.left_out });
        if (welcome.transcription) this.#emit("transcription", { status: welcome.transcription });
        resolve(welcome);
      });
      hear("refused", ({ final }) => final && resolve());
      setTimeout(resolve, WELCOME_WITHIN_MS);
      link.open();
    });
  }

  #saved() {
    this.#emit("saved", { seconds: this.savedSeconds });
  }

  #message(message) {
    if (message.type === "ended") this.#ended(message.url);
    else if (message.type === "turns") this.#emit("turns", { turns: message.turns });
    else if (message.type === "partial") this.#emit("partial", { text: message.text });
    else if (message.type === "coverage") {
      this.#emit("coverage", { ticks: message.ticks, leftOut: message.left_out });
    } else if (message.type === "transcription") {
      this.#emit("transcription", { status: message.status });
    }
  }

  async #refused({ code, message, final }) {
    if (["stored", "stopping"].includes(this.#state) && code !== "consent") return;
    this.#emit("problem", { code, message, final });
    if (!final) return;
    this.#link?.close();
    if (code === "too-long" && this.#state === "recording") {
      await this.pause();
      return;
    }
    this.#interrupt();
    const outbox = this.#outbox;
    if (!outbox) return;
    outbox.close();
    if (code === "consent") await Outbox.forget(this.#addresses.id);
    else if (code === "ended" || code === "not-found") await outbox.refuse(code);
    else if (code === "taken-over" && outbox.pending) await this.#sendRest();
  }

  /** What this page had not sent when another took over. */
  async #sendRest() {
    const parts = await Outbox.parts(this.#addresses.id);
    this.#others = deliver(
      parts.filter(({ next, acked }) => next > acked),
      { signal: this.#stop.signal },
    );
  }

  #microphoneLost() {
    if (!["connecting", "recording", "paused", "private"].includes(this.#state)) return;
    this.#problem("microphone-lost");
    this.#interrupt();
  }

  /** Nothing is recorded any more; what was, is sent. */
  #interrupt() {
    const capture = this.#capture;
    this.#capture = null;
    capture?.close();
    if (["connecting", "recording", "paused", "private"].includes(this.#state)) {
      this.#to("interrupted");
    }
    if (!this.#outbox || this.#link?.ended) this.#release();
  }

  #release() {
    this.#lock?.release();
    this.#lock = null;
  }

  #append(kind, payload, at) {
    const link = this.#link;
    this.#outbox.append(kind, payload, at).then(() => link.wake());
  }

  #frame(pcm, at) {
    const ms = (pcm.length / RATE) * 1000;
    const missing = at - ms - this.#outbox.lastAt;
    if (this.#outbox.lastAt && missing > SLEPT_MS) {
      this.#append(Kind.INTERRUPTED, missing, at - ms);
    }
    this.#append(Kind.AUDIO, pcm, at);
    this.#emit("time", { seconds: this.seconds });
    if (this.#state === "recording" && this.seconds >= this.#maxSeconds) {
      this.#problem("too-long");
      this.pause();
    }
  }

  async pause() {
    if (this.#state === "private") this.#closeGap();
    this.#to("paused");
    this.#pausedAt = Date.now();
    await this.#capture.flush();
    if (this.#state === "paused") this.#link.setState("paused");
  }

  /** From this instant nothing is kept of what is said, here or at the server. */
  pausePrivately() {
    this.#capture.stop();
    if (this.#state === "paused") this.#closeGap();
    this.#to("private");
    this.#pausedAt = Date.now();
    this.#link.setState("private");
  }

  resume() {
    if (this.seconds >= this.#maxSeconds) {
      this.#problem("too-long");
      return;
    }
    this.#closeGap();
    this.#to("recording");
    this.#capture.start();
    this.#link.setState("recording");
  }

  /** How long the pause was that is being left goes where it was. */
  #closeGap() {
    this.#append(PAUSES[this.#state], Date.now() - this.#pausedAt);
  }

  /** Send a person's tick of a question, however long it takes; of several the last counts. */
  tick(question, state) {
    return this.#ticks.tick(question, state);
  }

  /**
   * End it: stop, wait until the server has everything, store. Gives the conversation's address.
   * Raises RequestError; can be asked for again, and the microphone stays closed.
   */
  finish() {
    this.#finishing ??= this.#finish().finally(() => {
      this.#finishing = null;
    });
    return this.#finishing;
  }

  async #finish() {
    if (this.#state === "stored") return this.#url;
    await this.#halt();
    if (this.#link && !this.#link.ended && !this.#link.online) this.#problem("offline");
    await this.#delivered();
    await this.#ticks.settled();
    if (this.#state === "stored") return this.#url;
    const { url } = await post(this.#addresses.finish);
    await this.#ended(url);
    return url;
  }

  /** The last frame is in the outbox, and nothing comes after it. */
  async #halt() {
    const capture = this.#capture;
    if (this.#state === "recording") await capture.flush();
    if (this.#state !== "stopping") this.#to("stopping");
    this.#capture = null;
    capture?.close();
  }

  async #delivered() {
    const link = this.#link;
    if (link && !link.ended) {
      await new Promise((resolve) => {
        const look = () =>
          (this.#outbox.pending === 0 || link.ended || this.#state === "stored") && resolve();
        for (const name of ["ack", "welcome", "refused"]) link.addEventListener(name, look);
        this.addEventListener("ended", look);
        look();
      });
    }
    await this.#others;
    // What is left otherwise: of a page that was closed, or when another device took over. The bar
    // of some page may be sending it already: then it is waited for.
    while (this.#state !== "stored") {
      const parts = await Outbox.parts(this.#addresses.id);
      const left = parts.filter(isUnsent);
      if (!left.length) return;
      const outcome = await deliver(left, { signal: this.#stop.signal });
      if (!outcome.done && outcome.code !== "busy") return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
  }

  /**
   * Stop, and forget all of it here and at the server. Gives the person's address. Raises
   * RequestError; until it is through, nothing is forgotten.
   */
  async discard() {
    const capture = this.#capture;
    if (this.#state !== "stopping") this.#to("stopping");
    this.#capture = null;
    capture?.close();
    const { url } = await post(this.#addresses.discard);
    await this.#ended(null);
    return url;
  }

  async #forget() {
    this.#link?.close();
    this.#stop.abort();
    this.#outbox?.close();
    await Outbox.forget(this.#addresses.id).catch(() => {});
  }

  /** Stored, or discarded (null), by us or by another device. */
  async #ended(url) {
    if (this.#state === "stored") return;
    this.#url = url;
    const capture = this.#capture;
    this.#capture = null;
    capture?.close();
    const complete = url === null || !this.#outbox?.pending;
    this.#to("stored");
    if (complete) await this.#forget();
    else {
      this.#link.close();
      await this.#outbox.refuse("ended");
      this.#outbox.close();
    }
    this.#release();
    removeEventListener("beforeunload", this.#warn);
    this.#emit("ended", { url });
  }
}
