// Ticks on their way from the recording page to the server; they survive a cut.
import { post } from "../web/js/requests.js";

const RETRIES_MS = [500, 1000, 2000, 5000, 10_000];

/** What people tick: sent until it is through, of each question only what was said last. */
export class Ticks {
  #address;
  #told;
  #waiting = new Map(); // question -> state
  #sending = new Map(); // question -> promise

  /** `address` with the placeholder of the question; `told` hears of what the server refuses. */
  constructor(address, told) {
    this.#address = address;
    this.#told = told;
  }

  get pending() {
    return this.#sending.size;
  }

  /** Resolves when nothing is on its way. */
  async settled() {
    while (this.pending) await Promise.all(this.#sending.values());
  }

  /** Resolves with the server's tick of the question, or null when it was refused. */
  tick(question, state) {
    this.#waiting.set(question, state);
    if (!this.#sending.has(question)) {
      this.#sending.set(
        question,
        this.#send(question).finally(() => this.#sending.delete(question)),
      );
    }
    return this.#sending.get(question);
  }

  async #send(question) {
    const address = this.#address.replace("__pregunta__", encodeURIComponent(question));
    let answer = null;
    for (let tries = 0; this.#waiting.has(question); ) {
      const state = this.#waiting.get(question);
      try {
        answer = await post(address, { state });
        tries = 0;
      } catch (error) {
        if (error.passing) {
          await patience(RETRIES_MS[Math.min(tries, RETRIES_MS.length - 1)]);
          tries += 1;
          continue;
        }
        answer = null;
        this.#told({ code: error.code, message: error.message, final: false });
      }
      if (this.#waiting.get(question) === state) this.#waiting.delete(question);
    }
    return answer;
  }
}

/** So many milliseconds, or until the connection is back. */
const patience = (ms) =>
  new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      removeEventListener("online", go);
      resolve();
    };
    const timer = setTimeout(go, ms);
    addEventListener("online", go);
  });
