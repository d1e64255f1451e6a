// What is being said: turns as they are committed, the grey text of what is being heard, and
// where there is nothing because of a pause.
import { clock, fill, partsOf } from "../web/js/words.js";

// So near to the end counts as being there.
const NEAR_PX = 48;

const element = (name, className, text) => {
  const made = document.createElement(name);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

export class Said {
  /** `root`: the element with the parts of interview.html. */
  constructor(root) {
    const parts = partsOf(root, "live");
    this.scroll = parts.said;
    this.texts = parts.said.dataset;
    this.list = parts.chat;
    this.preview = parts.partial;
    this.empty = parts["said-empty"];
    this.toLast = parts["to-last"];
    /** position -> turn of the protocol */
    this.turns = new Map();
    /** [{kind, at, seconds}], `at` in seconds of the recording */
    this.gaps = [];
    this.keys = new WeakMap();
    this.following = true;
    this.scroll.addEventListener("scroll", () => this.scrolled());
    this.toLast.addEventListener("click", () => {
      this.follow();
      this.scroll.focus();
    });
    new ResizeObserver(() => this.keepUp()).observe(this.scroll);
  }

  /** Turns that are new, or in place of those with their position. */
  add(turns) {
    for (const turn of turns) this.turns.set(turn.position, turn);
    if (turns.length) this.partial("");
    this.draw();
  }

  addGaps(gaps) {
    this.gaps.push(...gaps);
    this.draw();
  }

  partial(text) {
    this.preview.textContent = text;
    this.preview.hidden = !text;
    this.showEmpty();
    this.keepUp();
  }

  /** Turns and gaps in the order of the recording, with turns of one speaker joined. */
  entries() {
    const turns = [...this.turns.values()].sort((a, b) => a.position - b.position);
    const gaps = [...this.gaps].sort((a, b) => a.at - b.at);
    const entries = [];
    const gapsUntil = (seconds) => {
      while (gaps.length && gaps[0].at <= seconds) entries.push({ gap: gaps.shift() });
    };
    for (const turn of turns) {
      gapsUntil(turn.start + 0.01);
      const last = entries.at(-1);
      if (last?.speaker === turn.speaker && last.role === turn.role) last.texts.push(turn.text);
      else {
        const { speaker, role, start } = turn;
        entries.push({ speaker, role, start, texts: [turn.text] });
      }
    }
    gapsUntil(Number.POSITIVE_INFINITY);
    return entries;
  }

  /** Draws only what changed anew, so that what one reads or has selected stays. */
  draw() {
    const drawn = [...this.list.children];
    const entries = this.entries();
    entries.forEach((entry, index) => {
      const key = JSON.stringify(entry);
      if (drawn[index] && this.keys.get(drawn[index]) === key) return;
      const item = entry.gap ? this.gap(entry.gap) : this.turn(entry);
      this.keys.set(item, key);
      if (drawn[index]) drawn[index].replaceWith(item);
      else this.list.append(item);
    });
    for (const left of drawn.slice(entries.length)) left.remove();
    this.showEmpty();
    this.keepUp();
  }

  turn({ role, start, texts }) {
    const item = element("li", `turn role-${role || "otro"}`);
    const head = element("div", "turn-head");
    const { nameEmpleado: empleado, nameUsuario: usuario, nameOtro } = this.texts;
    const name = { empleado, usuario }[role] ?? nameOtro;
    head.append(element("span", "turn-speaker", name), element("span", "turn-at", clock(start)));
    item.append(head, element("p", "turn-text", texts.join(" ")));
    return item;
  }

  gap({ kind, seconds }) {
    const words = { private: this.texts.textPrivate, interrupted: this.texts.textInterrupted };
    const text = fill(words[kind] ?? this.texts.textPaused, { time: clock(seconds) });
    return element("li", `gap gap-${kind}`, text);
  }

  showEmpty() {
    this.empty.hidden = Boolean(this.list.children.length) || !this.preview.hidden;
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroll;
    return scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }

  scrolled() {
    this.following = this.atEnd;
    if (this.following) this.toLast.hidden = true;
  }

  keepUp() {
    if (this.following) this.follow();
    else this.toLast.hidden = this.atEnd;
  }

  follow() {
    this.following = true;
    this.toLast.hidden = true;
    this.scroll.scrollTop = this.scroll.scrollHeight;
  }
}
