// <portal-editing>: correcting a transcript in its page.
//
// A pencil and a menu come to the turn that the pointer or the focus is in. What is changed goes to
// the server with the version that was seen; its answer, and what colleagues change meanwhile, is
// put in place turn by turn (portal/corrections/page.py), and nothing else moves. Addresses, words
// and templates come from corrections/workbench.html.

import { post, read } from "../web/js/requests.js";
import { notify } from "../web/js/shell.js";
import { Drafts } from "./drafts.js";
import { TurnEditor } from "./editor.js";

const ASK_EVERY_MS = 15_000;

class PortalEditing extends HTMLElement {
  connectedCallback() {
    this.chat = this.closest("portal-transcript").querySelector(".chat");
    this.revision = Number(this.dataset.revision);
    this.drafts = new Drafts(this.dataset.employee);
    this.tools = this.part("tools");
    this.waiting = new Map(); // id of the turn being edited -> its newer <li>, or null: it goes
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    for (const name of ["pointerover", "focusin", "click"]) {
      this.chat.addEventListener(name, ({ target }) => this.bringTools(target), { signal });
    }
    this.chat.addEventListener("keydown", (event) => this.key(event), { signal });
    this.chat.addEventListener("click", (event) => this.click(event), { signal });
    this.tools.addEventListener("show.bs.dropdown", () => {
      this.fillVoices(this.tools.querySelector("[data-voices]"), this.toolsTurn.dataset.speaker);
    });
    document.body.addEventListener("transcript-changed", () => this.ask(), { signal });
    const look = () => document.visibilityState === "visible" && this.ask();
    document.addEventListener("visibilitychange", look, { signal });
    this.timer = setInterval(look, ASK_EVERY_MS);
    this.showDrafts();
  }

  disconnectedCallback() {
    this.leaving.abort();
    clearInterval(this.timer);
    this.editor?.close();
  }

  /** A copy of the template data-NAME. */
  part(name) {
    return this.querySelector(`template[data-${name}]`).content.firstElementChild.cloneNode(true);
  }

  turnOf(id) {
    return this.chat.querySelector(`[data-turn="${id}"]`);
  }

  // The tools of a turn

  bringTools(target) {
    const turn = target.closest("[data-turn]");
    if (!turn || turn === this.toolsTurn || turn.classList.contains("is-editing")) return;
    // Not away from under somebody's hands.
    if (this.tools.contains(document.activeElement) && !turn.contains(document.activeElement))
      return;
    if (this.tools.querySelector(".show")) return;
    turn.querySelector(".turn-head").append(this.tools);
    this.toolsTurn = turn;
  }

  dropTools() {
    bootstrap.Dropdown.getInstance(this.tools.querySelector("[data-bs-toggle]"))?.hide();
    this.tools.remove();
    this.toolsTurn = undefined;
  }

  fillVoices(list, current) {
    const voices = document.querySelectorAll("#legend [data-voice]");
    list.replaceChildren(
      ...[...voices].map(({ dataset: { voice, name } }) => {
        const item = this.part("voice-item");
        item.dataset.voice = voice;
        item.querySelector("[data-name]").textContent = name;
        const chosen = voice === current;
        item.firstElementChild.classList.add(chosen ? "bi-check-lg" : "bi-person");
        if (chosen) item.setAttribute("aria-current", "true");
        return item;
      }),
    );
  }

  key(event) {
    const turn = event.target.closest("[data-turn]");
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (turn && plain && event.key.toLowerCase() === "e" && event.target.closest("button")) {
      event.preventDefault();
      this.edit(turn);
    }
  }

  click({ target }) {
    const turn = target.closest("[data-turn]");
    if (target.closest("[data-draft]")) this.edit(turn);
    const item = target.closest(".turn-tools [data-do], .turn-tools [data-voice]");
    if (!item) return;
    if (item.dataset.voice) this.change("move", turn, { speaker: item.dataset.voice });
    else this.do(item.dataset.do, turn);
  }

  async do(what, turn) {
    const { turn: id, version } = turn.dataset;
    const dialog = (address) =>
      htmx.ajax("GET", address, { target: "#dialog-content", swap: "innerHTML" });
    const following = this.turns()[this.turns().indexOf(turn) + 1];
    if (what === "edit") this.edit(turn);
    else if (what === "split") this.edit(turn, { hint: this.dataset.saySplit });
    else if (what === "undo") this.change("undo", turn);
    else if (what === "history") dialog(this.address("history", id));
    else if (what === "new-voice") dialog(`${this.dataset.newVoice}?turn=${id}&version=${version}`);
    else if (what === "merge" && following && (await this.settle())) {
      const fields = () => ({
        following: following.dataset.turn,
        following_version: this.turnOf(following.dataset.turn)?.dataset.version ?? 0,
      });
      this.change("merge", this.turnOf(id), fields());
    }
  }

  // The editor

  async edit(turn, { hint } = {}) {
    const id = turn.dataset.turn;
    if (this.editor?.id === id) return;
    if (!(await this.settle())) return;
    this.open(this.turnOf(id), { hint, draft: this.drafts.of(id) });
    this.ask();
  }

  open(turn, options) {
    this.dropTools();
    turn.querySelector("[data-draft]")?.remove();
    this.editor = new TurnEditor(this, turn, options);
  }

  /** Save what is open, if anything is, and close it; resolves to whether that could be done. */
  async settle() {
    return !this.editor || this.editor.save();
  }

  async editNextTo(turn, down) {
    const turns = this.turns();
    const next = turns[turns.indexOf(turn) + (down ? 1 : -1)];
    if (next) await this.edit(next);
  }

  closed(editor) {
    if (this.editor === editor) this.editor = undefined;
    const { turn, id } = editor;
    if (!this.waiting.has(id)) return;
    const newer = this.waiting.get(id);
    this.waiting.delete(id);
    if (newer) turn.replaceWith(newer);
    else turn.remove();
    this.renumber();
  }

  /** Somebody was there first: what is theirs is shown, beside what is written in `editor`. */
  changedMeanwhile(editor, { message, answer }) {
    this.apply(answer);
    const now = answer.turns.find(({ id }) => id === answer.turn);
    const holder = answer.turn && this.turnOf(answer.turn);
    if (!holder) {
      notify(`${message} ${this.dataset.sayGone} «${editor.text}»`, "warning");
      this.drafts.drop(editor.id);
      editor.close();
      return;
    }
    const version = now?.version ?? Number(holder.dataset.version);
    const text = now?.text ?? holder.querySelector(".turn-text").textContent;
    if (String(answer.turn) !== editor.id) {
      // Its words are in another turn now, and so goes what was written.
      const draft = { version, text: editor.text };
      this.drafts.drop(editor.id);
      editor.close();
      this.open(holder, { draft });
      this.editor.newer(message, text, version);
    } else {
      editor.newer(message, text, version);
    }
  }

  // Changes

  address(what, id) {
    return this.dataset[what].replace("/0/", `/${id}/`);
  }

  /** Resolves to the server's answer; raises RequestError. */
  send(what, id, fields) {
    return post(this.address(what, id), { revision: this.revision, ...fields });
  }

  async change(what, turn, fields = {}) {
    if (!(await this.settle())) return;
    const { turn: id, version } = turn.dataset;
    try {
      const answer = await this.send(what, id, { version, ...fields });
      this.apply(answer);
      this.arrive(id, answer.touched);
    } catch (error) {
      if (error.code === "changed") this.apply(error.answer);
      notify(error.message || this.dataset.sayFailed, "warning", { key: "correction" });
    }
  }

  async ask() {
    try {
      const answer = await read(`${this.dataset.changes}?desde=${this.revision}`);
      if (answer && this.isConnected) this.apply(answer);
    } catch {
      // Asked again in a moment; who saves is told.
    }
  }

  /** Put what is newer in its place; what is looked at stays where it is. */
  apply({ revision, turns, removed, legend, bar }) {
    if (revision < this.revision) return;
    this.revision = revision;
    const anchor = this.anchor();
    const before = anchor?.getBoundingClientRect().top;
    const held = anchor?.contains(document.activeElement) && document.activeElement;
    for (const id of removed) this.take(String(id));
    for (const entry of turns) this.put(entry);
    this.renumber();
    this.replace("legend", legend);
    this.replace("corrections-bar", bar);
    this.showDrafts();
    const now = anchor && this.turnOf(anchor.dataset.turn);
    if (held && document.activeElement === document.body) this.refocus(now, held);
    if (now) scrollBy({ top: now.getBoundingClientRect().top - before, behavior: "instant" });
    document.body.dispatchEvent(new Event("moments"));
  }

  /** Where the focus was in a turn that is drawn anew. */
  refocus(turn, held) {
    const place = held.isConnected ? held : turn?.querySelector(".turn-time");
    place?.focus({ preventScroll: true });
  }

  take(id) {
    const turn = this.turnOf(id);
    if (this.editor?.id === id) this.waiting.set(id, null);
    else if (turn === this.toolsTurn) this.dropTools();
    if (this.editor?.id !== id) turn?.remove();
  }

  put({ id, after, version, text, html }) {
    const fresh = document.createRange().createContextualFragment(html).firstElementChild;
    const old = this.turnOf(id);
    if (old && this.editor?.turn === old) {
      this.waiting.set(String(id), fresh);
      // As it is here when it was saved from here.
      if (version > this.editor.version) {
        this.editor.newer(this.dataset.sayMeanwhile, text, version);
      }
    } else if (old) {
      if (old === this.toolsTurn) {
        fresh.querySelector(".turn-head").append(this.tools);
        this.toolsTurn = fresh;
      }
      old.replaceWith(fresh);
    } else {
      const previous = after && this.turnOf(after);
      if (previous) previous.after(fresh);
      else this.chat.prepend(fresh);
    }
  }

  replace(id, html) {
    const fresh = document.createRange().createContextualFragment(html).firstElementChild;
    document.getElementById(id)?.replaceWith(fresh);
    htmx.process(fresh);
  }

  turns() {
    return [...this.chat.querySelectorAll("[data-turn]")];
  }

  /** Links lead to turns by their place. */
  renumber() {
    this.turns().forEach((turn, place) => {
      turn.id = `turno-${place}`;
    });
  }

  /** What must not move: the turn one is at, else the first that is in view. */
  anchor() {
    const at = this.editor?.turn ?? document.activeElement?.closest?.("[data-turn]");
    return at ?? this.turns().find((turn) => turn.getBoundingClientRect().bottom > 0);
  }

  /** The focus goes to a turn that was changed; where it is gone, that is said. */
  arrive(id, touched) {
    const turn = this.turnOf(id) ?? this.turnOf(touched[0]);
    if (!turn) {
      notify(this.dataset.sayRemoved, "success");
      return;
    }
    this.showDrafts();
    this.bringTools(turn);
    turn.querySelector(".turn-time").focus({ preventScroll: true });
    turn.scrollIntoView({ block: "nearest", behavior: "instant" });
  }

  showDrafts() {
    for (const turn of this.turns()) {
      const has = Boolean(this.drafts.of(turn.dataset.turn));
      const mark = turn.querySelector("[data-draft]");
      if (has && !mark && this.editor?.turn !== turn) {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "turn-draft";
        button.dataset.draft = "";
        button.textContent = this.dataset.sayDraft;
        turn.querySelector(".turn-head").append(button);
      } else if (!has) {
        mark?.remove();
      }
    }
  }
}

customElements.define("portal-editing", PortalEditing);
