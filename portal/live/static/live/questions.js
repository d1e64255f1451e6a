// The questions of the interview: what is known of each, drawn from the ticks that arrive, and
// set by hand with one press.
import { fill, partsOf, say } from "../web/js/words.js";

const NEW_MS = 4000;
const ICONS = {
  unasked: "bi-circle",
  asked: "bi-chat-dots",
  answered: "bi-check-circle-fill",
  declined: "bi-dash-circle",
  settled: "bi-clipboard2-check",
};
const BY_HAND = { answered: "bi-person-check", declined: "bi-person-dash", asked: "bi-person" };

/** Nothing is left to ask: it was ticked, or an earlier interview answered it. */
const isDone = ({ state, settled, origin }) =>
  state === "answered" || state === "declined" || (settled !== undefined && origin !== "person");

/** Event "tick" with {question, state}: somebody set it by hand. */
export class Questions extends EventTarget {
  /** `root`: the element with the parts of interview.html. */
  constructor(root) {
    super();
    const parts = partsOf(root, "live");
    this.root = parts.questions;
    this.texts = this.root.dataset;
    this.count = parts.count;
    this.counters = [...root.querySelectorAll("[data-count-of]")];
    this.questions = new Map();
    for (const row of this.root.querySelectorAll("[data-question]")) {
      const { question, state, origin, quote, value, prompt, settled } = row.dataset;
      const domain = row.closest("[data-domain]");
      this.questions.set(question, {
        row,
        state,
        origin,
        quote,
        value,
        prompt,
        settled,
        domain: domain.dataset.domain,
        domainElement: domain,
        text: row.querySelector(".question-text").textContent,
        parts: partsOf(row, "question-part"),
      });
    }
    this.root.addEventListener("click", (event) => this.clicked(event));
    for (const question of this.questions.values()) this.draw(question);
    this.tally();
  }

  clicked({ target }) {
    const slug = target.closest("[data-question]")?.dataset.question;
    const question = this.questions.get(slug);
    if (!question) return;
    if (target.closest("[data-question-part=toggle]")) {
      this.set(slug, question.state === "answered" ? "unasked" : "answered");
    } else {
      const item = target.closest("[data-set]");
      if (item) this.set(slug, item.dataset.set);
    }
  }

  /** By hand: shown at once, and taken back with `undo` when it could not be kept. */
  set(slug, state) {
    const { state: before, origin, quote, value } = this.questions.get(slug);
    // To agree with what was heard keeps its words; anything else contradicts them.
    const words = state === "answered" ? { quote, value } : {};
    this.update({ question: slug, state, origin: "person", ...words });
    const undo = () => this.update({ question: slug, state: before, origin, quote, value });
    this.dispatchEvent(new CustomEvent("tick", { detail: { question: slug, state, undo } }));
  }

  /** Ticks of the protocol. */
  add(ticks, { quietly = false } = {}) {
    for (const tick of ticks) {
      const question = this.questions.get(tick.question);
      // Of another questionnaire: it has changed since the page was opened.
      if (!question) continue;
      const news = tick.state !== question.state && tick.origin !== "person";
      this.update(tick);
      if (news && !quietly) this.highlight(question);
    }
  }

  update({ question: slug, state, origin, quote, value }) {
    const question = this.questions.get(slug);
    Object.assign(question, { state, origin, quote: quote ?? "", value: value ?? "" });
    this.draw(question);
    this.tally();
  }

  /** All whose condition does not hold now, by slug; the others are asked. */
  leaveOut(slugs) {
    for (const [slug, { row }] of this.questions) row.hidden = slugs.includes(slug);
    for (const note of this.root.querySelectorAll("[data-note]")) {
      note.hidden = slugs.includes(note.dataset.note);
    }
    this.tally();
  }

  draw(question) {
    const { row, state, origin, parts } = question;
    const byHand = origin === "person";
    const settled = state === "unasked" && question.settled !== undefined && !byHand;
    row.dataset.state = settled ? "settled" : state;
    row.dataset.origin = origin;
    parts.toggle.setAttribute("aria-pressed", String(state === "answered"));
    const icon = (byHand && BY_HAND[state]) || ICONS[settled ? "settled" : state];
    parts.toggle.querySelector(".question-mark").className = `bi question-mark ${icon}`;
    say(parts.note, this.note(question, settled));
    say(parts.quote, question.quote ? fill(this.texts.textQuote, question) : "");
    parts.quote.hidden = !question.quote;
    for (const item of row.querySelectorAll("[data-set]")) {
      item.hidden = item.dataset.set === state;
    }
  }

  note({ state, origin, quote, settled }, showSettled) {
    const { texts } = this;
    if (showSettled) {
      return settled ? fill(texts.textSettled, { value: settled }) : texts.textSettledPlain;
    }
    const words = {
      unasked: origin === "person" ? texts.textUnasked : "",
      asked: texts.textAsked,
      answered: texts.textAnswered,
      declined: texts.textDeclined,
    }[state];
    const shown = state === "answered" && quote ? fill(texts.textQuote, { quote }) : words;
    return origin === "person" && shown ? fill(texts.textByHand, { state: shown }) : shown;
  }

  tally() {
    const all = [...this.questions.values()].filter(({ row }) => !row.hidden);
    for (const counter of this.counters) {
      const own = all.filter((one) => one.domain === counter.dataset.countOf);
      const done = own.filter(isDone).length;
      say(counter, fill(this.texts.textCount, { done, total: own.length }));
      const holder = counter.closest(".asked-domain");
      holder?.classList.toggle("is-done", done === own.length);
    }
    const done = all.filter(isDone).length;
    const { textCount, textDone } = this.count.dataset;
    const words = fill(textCount, { done, total: all.length });
    if (this.count.dataset.shown === words) return;
    this.count.dataset.shown = words;
    const number = document.createElement("strong");
    number.textContent = words;
    this.count.replaceChildren(number, ` ${textDone}`);
  }

  highlight({ row }) {
    row.classList.remove("is-new");
    // So that a second tick soon after begins again.
    void row.offsetWidth;
    row.classList.add("is-new");
    setTimeout(() => row.classList.remove("is-new"), NEW_MS);
  }

  /** What is still to be asked, by domain: [{name, className, questions: [{prompt}]}]. */
  get open() {
    const groups = new Map();
    for (const question of this.questions.values()) {
      if (isDone(question) || question.row.hidden) continue;
      const { domainElement: domain } = question;
      const group = groups.get(domain) ?? {
        name: domain.querySelector("[data-domain-name]").textContent,
        className: [...domain.classList].find((name) => name.startsWith("domain-")),
        icon: domain.querySelector("h3 .bi").className,
        questions: [],
      };
      group.questions.push(question);
      groups.set(domain, group);
    }
    return [...groups.values()];
  }
}
