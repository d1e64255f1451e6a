// One turn while it is being corrected, in its place: a field instead of its text.
//
// Enter saves and Esc leaves. What is written is kept as a draft with each key. A save that fails
// for a passing reason is tried again until it is through; one that comes after a colleague's shows
// theirs beside it, and until one has chosen nothing is saved, not by a key meant for something else.

const RETRIES_MS = [1000, 2000, 5000, 10_000];

/** As the server keeps a text. */
export const clean = (text) => text.trim().replace(/\s+/g, " ");

export class TurnEditor {
  #tries = 0;
  #retry;
  #saving;
  #conflict = false;
  #wait = new AbortController();

  /**
   * `bench`: the <portal-editing> with template, drafts and requests. `turn`: the <li>. `draft`:
   * {version, text} that was not saved, if any; `hint`: a sentence to begin with.
   */
  constructor(bench, turn, { draft, hint } = {}) {
    this.bench = bench;
    this.turn = turn;
    this.id = turn.dataset.turn;
    this.version = Number(turn.dataset.version);
    this.said = turn.querySelector(".turn-text");
    this.saved = clean(this.said.textContent);
    this.form = bench.part("editor");
    this.field = this.form.querySelector("textarea");
    this.field.lang = this.said.lang;
    this.field.value = draft?.text ?? this.saved;
    this.said.hidden = true;
    this.said.after(this.form);
    turn.classList.add("is-editing");
    this.#listen();
    this.#grow();
    this.field.focus({ preventScroll: true });
    this.turn.scrollIntoView({ block: "nearest", behavior: "instant" });
    if (hint) this.say(hint);
    if (!draft) return;
    if (draft.version === this.version) this.#part("recovered").hidden = false;
    else this.newer(bench.dataset.sayMeanwhile, this.saved, this.version);
  }

  get text() {
    return clean(this.field.value);
  }

  get changed() {
    return this.text !== this.saved;
  }

  #part(name) {
    return this.form.querySelector(`[data-${name}]`);
  }

  #listen() {
    const { signal } = this.#wait;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.save();
    });
    this.form.addEventListener("keydown", (event) => this.#key(event));
    this.field.addEventListener("input", () => {
      this.#grow();
      if (!this.#tries) this.say("");
      this.#keep();
    });
    this.#part("leave").addEventListener("click", () => this.leave());
    this.#part("forget").addEventListener("click", () => this.#takeTheirs());
    this.#part("theirs").addEventListener("click", () => this.#takeTheirs());
    this.#part("mine").addEventListener("click", () => this.#keepMine());
    const voices = this.#part("voices");
    this.bench.fillVoices(voices);
    voices.addEventListener("click", ({ target }) => {
      const item = target.closest("[data-voice]");
      if (item) this.split(item.dataset.voice);
    });
    addEventListener("online", () => this.#tries && this.save(), { signal });
    addEventListener("beforeunload", (event) => this.#tries && event.preventDefault(), { signal });
  }

  #key(event) {
    if (event.isComposing || event.defaultPrevented) return;
    const { key, target } = event;
    if (key === "Escape" && !this.form.querySelector(".dropdown-menu.show")) {
      event.preventDefault();
      this.leave();
    } else if (key === "Enter" && target === this.field) {
      event.preventDefault();
      this.save();
    } else if (event.altKey && (key === "ArrowDown" || key === "ArrowUp")) {
      event.preventDefault();
      this.bench.editNextTo(this.turn, key === "ArrowDown");
    }
  }

  #grow() {
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  #keep() {
    if (this.changed) this.bench.drafts.keep(this.id, this.version, this.field.value);
    else this.bench.drafts.drop(this.id);
  }

  say(text) {
    const problem = this.#part("problem");
    problem.textContent = text;
    problem.hidden = !text;
  }

  /** Resolves to whether it is saved, and closed. */
  save() {
    if (this.#conflict) {
      this.#part("mine").focus();
      return Promise.resolve(false);
    }
    this.#saving ??= this.#save().finally(() => {
      this.#saving = undefined;
    });
    return this.#saving;
  }

  async #save() {
    clearTimeout(this.#retry);
    if (!this.changed) {
      this.leave();
      return true;
    }
    this.#keep();
    const { text } = this;
    this.form.setAttribute("aria-busy", "true");
    try {
      const answer = await this.bench.send("text", this.id, { version: this.version, text });
      this.#tries = 0;
      return this.#saved(text, answer);
    } catch (error) {
      this.#failed(error);
      return false;
    } finally {
      this.form.removeAttribute("aria-busy");
    }
  }

  #saved(text, answer) {
    this.say("");
    if (this.text === text) {
      this.bench.drafts.drop(this.id);
      this.close();
      this.bench.apply(answer);
      this.bench.arrive(this.id, answer.touched);
      return true;
    }
    // More was written while it was on its way: it stays open, on what is saved now.
    this.saved = text;
    this.version = answer.turns.find(({ id }) => String(id) === this.id)?.version ?? this.version;
    this.#keep();
    this.bench.apply(answer);
    return false;
  }

  #failed(error) {
    if (error.code === "changed") {
      this.bench.changedMeanwhile(this, error);
    } else if (error.passing && this.form.isConnected) {
      this.say(error.message || this.bench.dataset.sayUnsaved);
      const wait = RETRIES_MS[Math.min(this.#tries, RETRIES_MS.length - 1)];
      this.#tries += 1;
      this.#retry = setTimeout(() => this.save(), wait);
    } else {
      this.#tries = 0;
      this.say(error.message || this.bench.dataset.sayFailed);
    }
  }

  /** Somebody has given the turn `text`, which is now of `version`. */
  newer(message, text, version) {
    const untouched = !this.changed;
    this.version = version;
    this.saved = text;
    if (untouched) {
      this.field.value = text;
      this.#grow();
      return;
    }
    this.#keep();
    this.#conflict = true;
    this.#tries = 0;
    clearTimeout(this.#retry);
    this.say("");
    this.#part("recovered").hidden = true;
    this.#part("newer-say").textContent = `${message} ${this.bench.dataset.sayNow}`;
    this.#part("newer-text").textContent = text;
    this.#part("newer").hidden = false;
  }

  #takeTheirs() {
    this.bench.drafts.drop(this.id);
    this.field.value = this.saved;
    this.#settleConflict();
    this.#grow();
    this.field.focus();
  }

  #keepMine() {
    this.#settleConflict();
    this.save();
  }

  #settleConflict() {
    this.#conflict = false;
    this.#part("newer").hidden = true;
    this.#part("recovered").hidden = true;
  }

  /** Divide the turn where the cursor is; `voice` says the second part. */
  async split(voice) {
    const before = this.field.value.slice(0, this.field.selectionStart);
    if (this.#conflict) {
      this.#part("mine").focus();
      return;
    }
    try {
      if (this.changed) {
        const saved = await this.bench.send("text", this.id, {
          version: this.version,
          text: this.text,
        });
        this.saved = this.text;
        this.version = saved.turns.at(-1)?.version ?? this.version;
        this.bench.drafts.drop(this.id);
        this.bench.apply(saved);
      }
      // In the text as it is kept, and in characters, not in the halves of some of them.
      const at = [...clean(before)].length;
      const answer = await this.bench.send("split", this.id, {
        version: this.version,
        at,
        speaker: voice,
      });
      this.close();
      this.bench.apply(answer);
      this.bench.arrive(answer.touched.at(-1), answer.touched);
    } catch (error) {
      if (error.code === "changed") this.bench.changedMeanwhile(this, error);
      else this.say(error.message || this.bench.dataset.sayFailed);
      this.field.focus();
    }
  }

  /** Close it; what was changed stays as a draft, and the turn says so. */
  leave() {
    if (!this.changed) this.bench.drafts.drop(this.id);
    this.close();
    this.bench.arrive(this.id, [this.id]);
  }

  close() {
    clearTimeout(this.#retry);
    this.#wait.abort();
    this.form.remove();
    this.said.hidden = false;
    this.turn.classList.remove("is-editing");
    this.bench.closed(this);
  }
}
