// What somebody writes in a turn and has not saved yet, kept in this tab until it is: through a
// stray click, a reload, another page. Each with the version of the turn it was written over.

const PREFIX = "portal-draft:";

export class Drafts {
  #own;

  /** `employee`: whose drafts; those of whoever was signed in here before go. */
  constructor(employee) {
    this.#own = `${PREFIX}${employee}:`;
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(PREFIX) && !key.startsWith(this.#own)) sessionStorage.removeItem(key);
    }
  }

  /** {version, text}, or undefined. */
  of(turn) {
    const kept = sessionStorage.getItem(this.#own + turn);
    return kept ? JSON.parse(kept) : undefined;
  }

  keep(turn, version, text) {
    try {
      sessionStorage.setItem(this.#own + turn, JSON.stringify({ version, text }));
    } catch {
      // The tab's storage is full; what is written is still in its field.
    }
  }

  drop(turn) {
    sessionStorage.removeItem(this.#own + turn);
  }
}
