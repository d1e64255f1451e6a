// The bar of the recording: time, volume, what is safe, the connection, who listens.

import { clock, fill, partsOf, say } from "../web/js/words.js";
import { Meter } from "./level.js";

// Silence is part of an interview; so much of it may be a microphone that is off.
const SILENT_RMS = 0.0008;
const SILENT_FOR_MS = 45_000;

export class Controls {
  /** `root`: the element with the parts of controls.html. */
  constructor(root) {
    this.bar = root.querySelector("[data-live=controls]");
    this.texts = this.bar.dataset;
    this.parts = partsOf(this.bar, "controls");
    this.buttons = partsOf(this.bar, "live");
    this.meter = new Meter(this.parts.level);
    this.online = true;
  }

  text(name) {
    return this.texts[`text${name[0].toUpperCase()}${name.slice(1)}`] ?? "";
  }

  state(state) {
    this.bar.dataset.state = state;
    if (state !== "recording") this.meter.show(0);
    say(this.parts.state, this.text(state));
    const resting = state === "paused" || state === "private";
    // A private pause has a button of its own, as large as the screen allows.
    this.buttons["go-on"].hidden = state !== "paused";
    this.buttons.pause.hidden = resting;
    this.buttons["pause-privately"].hidden = state === "private";
    const going = resting || state === "recording";
    for (const name of ["pause", "pause-privately", "go-on"]) this.buttons[name].disabled = !going;
    this.announce(this.text(state));
  }

  heard(rms) {
    this.meter.show(rms);
    const now = performance.now();
    if (rms > SILENT_RMS || this.bar.dataset.state !== "recording") this.heardAt = now;
    this.parts.silence.hidden = now - (this.heardAt ?? now) < SILENT_FOR_MS;
  }

  time(seconds) {
    say(this.parts.time, clock(seconds));
  }

  saved(seconds) {
    say(this.parts.saved, fill(this.texts.textSaved, { time: clock(seconds) }));
  }

  /** `pending`: seconds that are only in this browser. */
  connection(online, pending) {
    const { connection } = this.parts;
    connection.classList.toggle("is-offline", !online);
    connection.querySelector(".bi").className = `bi ${online ? "bi-wifi" : "bi-wifi-off"}`;
    const words = online
      ? this.texts.textOnline
      : fill(this.texts.textOffline, { seconds: Math.ceil(pending) });
    say(this.parts["connection-words"], words);
    // The seconds run on in view; aloud it is said once.
    if (online !== this.online) {
      this.announce(online ? this.texts.textBack : this.texts.textOfflineShort);
    }
    this.online = online;
  }

  transcription(status) {
    this.parts.transcription.dataset.status = status;
    say(this.parts["transcription-words"], this.text(status));
  }

  problem(text) {
    say(this.parts.problem, text);
    this.parts.problem.hidden = !text;
  }

  announce(text) {
    say(this.parts.announce, text);
  }
}
