// The interview: what the recorder tells goes on the screen, what is pressed goes to the recorder.

import { clock, partsOf, say } from "../web/js/words.js";
import { Controls } from "./controls.js";
import { Discarding, Ending } from "./ending.js";
import { listenToKeys } from "./keys.js";
import { Questions } from "./questions.js";
import { Recorder } from "./recorder.js";
import { Said } from "./said.js";

// With these, this page may go on when somebody says so; with other final ones it cannot.
const MAY_GO_ON = new Set(["busy", "taken-over", "microphone-lost"]);
const RESTS = new Set(["paused", "private", "interrupted"]);
const EVERY_MS = 1000;

export class Interview {
  #online = true;
  #rest = null; // the pause that is on: {kind, at, since}

  /** `checks` has the microphone. */
  constructor(root, checks) {
    this.texts = root.dataset;
    this.parts = partsOf(root, "live");
    this.checks = checks;
    this.said = new Said(root);
    this.questions = new Questions(root);
    this.controls = new Controls(root);
    this.ending = new Ending({ end: () => this.recorder.finish() });
    this.discarding = new Discarding({ discard: () => this.recorder.discard() });
    this.keys = listenToKeys(
      { p: () => this.toggle("pause"), v: () => this.toggle("private"), t: () => this.ask() },
      () => document.body.dataset.stage === "interview",
    );
    this.#press();
    checks.addEventListener("level", ({ detail }) => this.controls.heard(detail.rms));
    checks.addEventListener("ready", () => this.#microphoneIsBack());
  }

  #press() {
    const on = (name, act) => {
      for (const button of document.querySelectorAll(`button[data-live="${name}"]`)) {
        button.addEventListener("click", act);
      }
    };
    on("pause", () => this.recorder.pause());
    on("pause-privately", () => this.recorder.pausePrivately());
    on("go-on", () => this.recorder.resume());
    on("resume", () => this.recorder.resume());
    on("finish", () => this.ask());
    on("discard", () => this.discarding.ask(this.recorder.seconds));
    on("keys", () => this.keys.show());
    on("go-on-here", () => this.goOnHere());
    this.questions.addEventListener("tick", async ({ detail }) => {
      const { question, state, undo } = detail;
      if ((await this.recorder.tick(question, state)) === null) undo();
    });
  }

  /** What is known of the recording; nothing is recorded yet. See Recorder for the options. */
  open(addresses, { lastAt, savedSeconds }) {
    const maxSeconds = Number(this.texts.maxSeconds);
    const recorder = new Recorder({ addresses, maxSeconds, lastAt, savedSeconds });
    this.recorder = recorder;
    if (lastAt) this.#rest = { kind: "interrupted", at: savedSeconds, since: lastAt };
    const hear = (name, react) =>
      recorder.addEventListener(name, ({ detail }) => react.call(this, detail));
    hear("state", this.#stateChanged);
    hear("time", this.#counted);
    hear("saved", this.#counted);
    hear("connection", ({ online }) => {
      // While it tries again nothing has changed yet.
      if (online) this.#passed();
      this.#online = online;
      this.#counted();
    });
    hear("turns", ({ turns }) => this.said.add(turns));
    hear("partial", ({ text }) => this.said.partial(text));
    hear("coverage", ({ ticks, leftOut }) => {
      this.questions.add(ticks);
      if (leftOut) this.questions.leaveOut(leftOut);
    });
    hear("transcription", ({ status }) => this.controls.transcription(status));
    hear("problem", this.#problem);
    hear("ended", this.#ended);
  }

  /** Record, now that there is a microphone. */
  async begin({ takeover }) {
    this.parts.stopped.hidden = true;
    this.controls.state("connecting");
    this.#counted();
    await this.recorder.begin(this.checks.capture, { takeover });
  }

  toggle(which) {
    const { recorder } = this;
    const wanted = which === "private" ? "private" : "paused";
    if (recorder.state === wanted) recorder.resume();
    else if (recorder.state === "private") recorder.resume();
    else if (!["recording", "paused"].includes(recorder.state)) return;
    else if (which === "private") recorder.pausePrivately();
    else recorder.pause();
  }

  ask() {
    this.ending.ask(this.questions.open);
  }

  #counted() {
    const { seconds, savedSeconds, pendingSeconds } = this.recorder;
    this.controls.time(seconds);
    this.controls.saved(savedSeconds);
    this.controls.connection(this.#online, pendingSeconds);
    this.ending.progress(pendingSeconds, this.#online);
  }

  #stateChanged({ state }) {
    const { parts } = this;
    this.controls.state(state);
    const before = this.#rest;
    if (before && before.kind !== state && (state === "recording" || RESTS.has(state))) {
      const seconds = (Date.now() - before.since) / 1000;
      this.said.addGaps([{ kind: before.kind, at: before.at, seconds }]);
      clearInterval(before.timer);
      this.#rest = null;
    }
    if (!this.#rest && RESTS.has(state)) {
      this.#rest = { kind: state, at: this.recorder.seconds, since: Date.now() };
      this.#rest.timer = setInterval(() => this.#countRest(), EVERY_MS);
      this.#countRest();
      this.said.partial("");
    }
    parts["paused-flag"].hidden = state !== "paused";
    this.#showPrivate(state === "private");
    if (state === "recording" || state === "stored") parts.stopped.hidden = true;
  }

  #countRest() {
    say(this.parts["private-time"], clock((Date.now() - this.#rest.since) / 1000));
  }

  #showPrivate(on) {
    const { private: panel, columns } = this.parts;
    if (panel.hidden !== on) return;
    panel.hidden = !on;
    columns.hidden = on;
    document.body.classList.toggle("is-private", on);
    scrollTo(0, 0);
    const { pause } = this.controls.buttons;
    if (on) panel.querySelector("h2").focus();
    else if (!pause.hidden) pause.focus();
    else this.controls.buttons["go-on"].focus();
  }

  // What goes wrong

  #problem({ code, message, final }) {
    const words = message || this.#words(code);
    if (code === "offline" || !words) return;
    const stops = final || code === "microphone-lost";
    if (!stops) {
      this.controls.problem(words);
      this.passing = Boolean(message);
      return;
    }
    const { stopped } = this.parts;
    const here = stopped.querySelector("[data-live=go-on-here]");
    say(stopped.querySelector("[data-stopped=words]"), words);
    here.hidden = !MAY_GO_ON.has(code);
    stopped.querySelector("[data-stopped=page]").hidden = MAY_GO_ON.has(code);
    // The card of the microphone says it already, with what to do.
    stopped.hidden = code === "microphone-lost";
  }

  /** What has no sentence of the server's. */
  #words(code) {
    const { stopped } = this.parts;
    return stopped.querySelector(`[data-problem-words="${code}"]`)?.textContent ?? "";
  }

  /** There is a connection, so what the server complained of is over, or it will say so again. */
  #passed() {
    if (this.passing) this.controls.problem("");
    this.passing = false;
  }

  async goOnHere() {
    this.takeover = true;
    await this.checks.listen();
  }

  #microphoneIsBack() {
    if (this.recorder?.state !== "interrupted") return;
    this.begin({ takeover: this.takeover ?? false });
    this.takeover = false;
  }

  #ended({ url }) {
    location.assign(url ?? this.texts.personPage);
  }
}
