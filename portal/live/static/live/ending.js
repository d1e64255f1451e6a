// Two dialogs. "Antes de terminar": what is still open, then the sending of the rest. And
// throwing it all away, which asks once.
import { clock, fill, partsOf, say } from "../web/js/words.js";

/** Focus goes to the title, from where it is read: the first button is no good place for a slip. */
const open = (dialog) => {
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("h2").focus();
};

const list = (groups) =>
  groups.map(({ name, className, icon, questions }) => {
    const section = document.createElement("section");
    section.className = `ending-group ${className}`;
    const title = document.createElement("h3");
    title.className = "domain-title";
    const mark = document.createElement("i");
    mark.className = icon;
    mark.setAttribute("aria-hidden", "true");
    title.append(mark, ` ${name}`);
    const items = document.createElement("ul");
    for (const { prompt } of questions) {
      const item = document.createElement("li");
      item.textContent = prompt;
      items.append(item);
    }
    section.append(title, items);
    return section;
  });

export class Ending {
  /** `end`: () -> Promise of the address to go on to; rejects when it cannot be ended now. */
  constructor({ end }) {
    this.dialog = document.getElementById("ending");
    this.parts = partsOf(this.dialog, "ending");
    this.end = end;
    this.sending = false;
    this.online = true;
    this.parts.back.addEventListener("click", () => this.dialog.close());
    this.parts.end.addEventListener("click", () => this.send());
    this.parts.retry.addEventListener("click", () => this.send());
    this.parts.reload.addEventListener("click", () => location.reload());
    // Once it ends, closing the dialog would leave nothing to press.
    this.dialog.addEventListener("cancel", (event) => {
      if (this.sending) event.preventDefault();
    });
  }

  ask(groups) {
    const { lead, open: listed } = this.parts;
    say(lead, groups.length ? lead.dataset.textSome : lead.dataset.textNone);
    listed.replaceChildren(...list(groups));
    listed.hidden = !groups.length;
    open(this.dialog);
  }

  async send() {
    const { ask, sending, retry, reload } = this.parts;
    this.sending = true;
    ask.hidden = true;
    sending.hidden = false;
    retry.hidden = true;
    reload.hidden = true;
    this.dialog.setAttribute("aria-labelledby", "sending-title");
    if (!this.dialog.open) this.dialog.showModal();
    sending.querySelector("h2").focus();
    this.most = undefined;
    this.failed = false;
    this.show();
    try {
      location.assign(await this.end());
    } catch (error) {
      this.failed = true;
      say(this.parts.status, error.message || this.parts.status.dataset.textFailed);
      retry.hidden = false;
      reload.hidden = false;
      retry.focus();
    }
  }

  /** Seconds still to be sent, and whether they can be. */
  progress(pending, online) {
    this.pending = pending;
    this.online = online;
    if (this.sending && !this.failed) this.show();
  }

  show() {
    const { status, progress } = this.parts;
    const left = this.pending ?? 0;
    this.most = Math.max(this.most ?? 0, left);
    progress.value = this.most ? 1 - left / this.most : 1;
    if (!this.online) say(status, status.dataset.textOffline);
    else if (left >= 1) say(status, fill(status.dataset.textSending, { seconds: Math.ceil(left) }));
    else say(status, status.dataset.textStoring);
  }
}

export class Discarding {
  /** `discard`: () -> Promise of the address to go on to. */
  constructor({ discard }) {
    this.dialog = document.getElementById("discarding");
    const parts = partsOf(this.dialog, "discarding");
    this.parts = parts;
    parts.back.addEventListener("click", () => this.dialog.close());
    parts.discard.addEventListener("click", async () => {
      parts.discard.disabled = true;
      try {
        location.assign(await discard());
      } catch (error) {
        say(parts.problem, error.message || parts.problem.dataset.textFailed);
        parts.problem.hidden = false;
        parts.discard.disabled = false;
      }
    });
  }

  ask(seconds) {
    const { words, problem } = this.parts;
    say(words, fill(words.dataset.textWords, { time: clock(seconds) }));
    problem.hidden = true;
    open(this.dialog);
  }
}
