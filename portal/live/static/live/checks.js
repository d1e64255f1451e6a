// The check before an interview: which microphone, how it sounds, and a few seconds of each voice.

import { partsOf } from "../web/js/words.js";
import { Capture } from "./capture.js";
import { Meter, Verdict } from "./level.js";
import { Samples } from "./samples.js";

const REMEMBERED = "live-microphone";

const remembered = () => {
  try {
    return localStorage.getItem(REMEMBERED) ?? "";
  } catch {
    return "";
  }
};

const remember = (deviceId) => {
  try {
    localStorage.setItem(REMEMBERED, deviceId);
  } catch {
    // Storage may be forbidden; it will be chosen anew the next time.
  }
};

/**
 * `capture` is the open microphone, or null while there is a problem with it.
 * Events: "ready" (a microphone is open), "level" ({rms, peak}), "lost".
 */
export class Checks extends EventTarget {
  /** `root`: the element with the parts of check.html and problems.html. */
  constructor(root) {
    super();
    this.parts = partsOf(root, "live");
    this.capture = null;
    this.meter = new Meter(this.parts.level);
    this.verdict = new Verdict(this.parts.verdict);
    this.samples = this.parts.samples ? new Samples(this.parts.samples) : null;
    this.parts.microphone.addEventListener("change", ({ target }) => {
      remember(target.value);
      this.listen();
    });
    this.parts.retry.addEventListener("click", () => this.listen());
  }

  /** Open the chosen microphone, in place of the one that is open. */
  async listen() {
    this.allow(false);
    await this.capture?.close();
    this.capture = null;
    this.verdict.reset();
    const problem = Capture.problem();
    if (problem) {
      this.problem(problem);
      return;
    }
    try {
      this.capture = await this.open(remembered());
    } catch (error) {
      this.problem(error.code ?? "failed");
      return;
    }
    if (this.samples) this.samples.capture = this.capture;
    this.problem(null);
    await this.list();
    this.capture.addEventListener("level", ({ detail }) => {
      this.meter.show(detail.rms);
      this.verdict.hear(detail);
      this.dispatchEvent(new CustomEvent("level", { detail }));
    });
    this.capture.addEventListener("lost", () => {
      this.capture = null;
      this.problem("lost");
      this.dispatchEvent(new Event("lost"));
    });
    this.dispatchEvent(new Event("ready"));
  }

  /** The one that was used last may not be plugged in today. */
  async open(deviceId) {
    if (!deviceId) return Capture.open({});
    try {
      return await Capture.open({ deviceId });
    } catch (error) {
      if (error.code !== "none") throw error;
      return Capture.open({});
    }
  }

  /** Names of microphones are told only once one of them may be used. */
  async list() {
    const { microphone } = this.parts;
    const devices = await Capture.devices();
    if (!devices.length) return;
    const options = devices.map(({ deviceId, label }) => new Option(label, deviceId));
    microphone.replaceChildren(...options);
    const known = (wanted) => devices.some(({ deviceId }) => deviceId === wanted);
    const used = [this.capture.deviceId, remembered()].find(known);
    if (used) microphone.value = used;
  }

  /** Whether one may begin: only with a microphone that is open. */
  allow(may) {
    this.parts.start.disabled = !may;
    this.samples?.allow(may);
  }

  problem(code) {
    const { problem, sound } = this.parts;
    for (const words of problem.querySelectorAll("[data-problem]")) {
      words.hidden = words.dataset.problem !== code;
    }
    problem.hidden = !code;
    sound.inert = Boolean(code) && code !== "busy" && code !== "failed";
    this.allow(!code);
    if (code) problem.querySelector("[data-live=retry]").focus();
  }
}
