// On every page: a recording that waits to be continued or ended, and what was recorded in this
// browser and is not on the server yet, which is sent from here by itself.

import { fill, partsOf, say } from "../web/js/words.js";
import { drain, Outbox } from "./outbox.js";
import { wav } from "./wav.js";

class Leftover {
  constructor(leftover) {
    this.leftover = leftover;
    const template = document.getElementById("live-leftover-template");
    this.element = template.content.firstElementChild.cloneNode(true);
    this.texts = this.element.dataset;
    this.parts = partsOf(this.element, "leftover");
    this.parts.save.addEventListener("click", () => this.save());
    this.parts.forget.addEventListener("click", () => this.forget());
    this.parts.close.addEventListener("click", () => {
      dismissed.add(leftover.recording);
      this.close();
    });
    leftovers.push(this);
    this.show();
  }

  /** On the page that is there now. */
  show() {
    document.getElementById("live-leftovers")?.append(this.element);
  }

  close() {
    leftovers.splice(leftovers.indexOf(this), 1);
    this.element.remove();
  }

  fill(text) {
    return fill(text, { seconds: Math.ceil(this.leftover.pendingSeconds) });
  }

  tell(text, buttons = []) {
    for (const name of ["save", "forget", "close"]) {
      this.parts[name].hidden = !buttons.includes(name);
    }
    say(this.parts.words, this.fill(text));
  }

  /** Waits, without a word, for as long as there is no connection. */
  async send() {
    this.tell(this.texts.textSending);
    const outcome = await drain(this.leftover);
    if (outcome.done) {
      this.tell(this.texts.textSent, ["close"]);
      // The bar says of that recording how much is safe.
      document.body.dispatchEvent(new Event("live"));
    } else if (outcome.code === "busy" || outcome.code === "aborted") {
      // Another page is at it.
      this.close();
    } else this.tell(this.texts.textEnded, ["save", "forget"]);
  }

  async save() {
    try {
      const file = URL.createObjectURL(await wav(this.leftover.recording));
      Object.assign(document.createElement("a"), {
        href: file,
        download: this.texts.textFile,
      }).click();
    } catch {
      this.tell(this.texts.textFailed, ["save", "close"]);
      return;
    }
    this.tell(this.texts.textSaved, ["save", "forget", "close"]);
  }

  async forget() {
    if (!confirm(this.fill(this.texts.textConfirm))) return;
    await Outbox.forget(this.leftover.recording);
    this.close();
  }
}

const LOOK_EVERY_MS = 10_000;
const leftovers = [];
/** Recordings that nobody wants to hear of again before the portal is next opened. */
const dismissed = new Set();
let sending = Promise.resolve();

/** Send what is new since the last look: a page that was closed lets go of its recording late. */
const look = async () => {
  await sending;
  const known = new Set([...dismissed, ...leftovers.map(({ leftover }) => leftover.recording)]);
  const found = (await Outbox.leftovers()).filter(({ recording }) => !known.has(recording));
  await Promise.all(found.map((leftover) => new Leftover(leftover).send()));
};
const lookAgain = () => {
  sending = look();
};
lookAgain();
setInterval(lookAgain, LOOK_EVERY_MS);
document.addEventListener("page-shown", () => {
  for (const leftover of leftovers) leftover.show();
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-waiting-finish]");
  if (!form) return;
  // What this browser still holds belongs to it.
  event.preventDefault();
  event.submitter.disabled = true;
  await sending;
  form.submit();
});

document.addEventListener("click", async ({ target }) => {
  const form = target.closest("button")?.closest("[data-waiting-discard]");
  if (!form || !confirm(form.dataset.waitingDiscard)) return;
  await Outbox.forget(form.closest("[data-waiting]").dataset.waiting).catch(() => {});
  form.submit();
});
