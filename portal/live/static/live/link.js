// The WebSocket of one part (protocol.py): sends what is in the outbox from where the server says,
// again after every cut, and gives on what the server tells.

const WINDOW = 64; // entries on their way at once, sixteen seconds of audio
const SILENT_FOR_MS = 8000;
const WATCH_EVERY_MS = 1000;
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 10_000;
// After a cut the server may take our old socket for alive a while longer.
const OWN_BUSY_FOR_MS = 15_000;

/** Close codes of protocol.py by name. */
const CODES = {
  4400: "malformed",
  4401: "unauthenticated",
  4403: "consent",
  4404: "not-found",
  4408: "no-hello",
  4409: "busy",
  4410: "ended",
  4411: "taken-over",
  4412: "sequence",
  4413: "too-long",
  4414: "frame-size",
  4423: "wrong-state",
  4429: "too-fast",
  4507: "disk-full",
};
const FINAL = new Set(["consent", "not-found", "ended", "taken-over", "too-long"]);
const AT_ONCE = new Set(["no-hello", "sequence", "wrong-state", "busy"]);

/**
 * Events: "welcome" and "message" with the server's message as detail; "ack"; "connection" with
 * {online, retryIn} (seconds, null while trying); "refused" with {code, message, final}.
 */
export class Link extends EventTarget {
  online = false;
  /** Why it has stopped for good, as in "refused". */
  ended = null;
  #outbox;
  #hello;
  #socket = null;
  #ready = false;
  #cursor = 0;
  #pumping = false;
  #state = "recording";
  #told = "recording";
  #heardAt = 0;
  #attempts = 0;
  #failed = null; // the server's "error" before it closes
  #welcomed = false;
  #busySince = 0;
  #retry = 0;
  #watch = 0;
  #closed = false;

  /** `mode`: "record" | "drain" */
  constructor({ outbox, mode, takeover = false }) {
    super();
    this.#outbox = outbox;
    this.#hello = { type: "hello", part: outbox.part, mode, takeover };
  }

  open() {
    addEventListener("online", this.#connect);
    addEventListener("offline", this.#drop);
    this.#watch = setInterval(() => this.#look(), WATCH_EVERY_MS);
    this.#connect();
  }

  close() {
    this.#closed = true;
    this.online = false;
    removeEventListener("online", this.#connect);
    removeEventListener("offline", this.#drop);
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    this.#leave();
  }

  /** There is more in the outbox. */
  wake() {
    this.#pump();
  }

  /** "recording" | "paused" | "private", told after the entries before it. */
  setState(state) {
    this.#state = state;
    this.#pump();
  }

  /**
   * Open it, and close it when nothing is left to send: {done: true}, or {done: false, code,
   * message} after a final refusal or "aborted".
   */
  async delivered({ signal } = {}) {
    const outcome = await new Promise((resolve) => {
      const look = () => this.#outbox.pending || resolve({ done: true });
      for (const name of ["welcome", "ack"]) this.addEventListener(name, look);
      this.addEventListener("refused", ({ detail }) => {
        if (detail.final) resolve({ done: false, code: detail.code, message: detail.message });
      });
      const abort = () => resolve({ done: false, code: "aborted", message: "" });
      if (signal?.aborted) abort();
      signal?.addEventListener("abort", abort);
      this.open();
    });
    this.close();
    return outcome;
  }

  #connect = () => {
    clearTimeout(this.#retry);
    if (this.#closed || this.#socket) return;
    const address = new URL(this.#outbox.socket, location.href);
    address.protocol = location.protocol.replace("http", "ws");
    const socket = new WebSocket(address);
    this.#socket = socket;
    this.#heardAt = performance.now();
    this.#tellConnection(null);
    socket.onopen = () => socket.send(JSON.stringify(this.#hello));
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(data));
    socket.onclose = ({ code }) => this.#lost(CODES[code]);
  };

  /** Without waiting for the other side to agree, which may be gone. */
  #leave() {
    const socket = this.#socket;
    this.#socket = null;
    this.#ready = false;
    if (!socket) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close();
  }

  #drop = () => {
    if (this.#socket) this.#lost();
  };

  #look() {
    if (!this.#socket || (this.#ready && this.#cursor === this.#outbox.acked)) return;
    if (performance.now() - this.#heardAt > SILENT_FOR_MS) this.#lost();
  }

  #lost(code) {
    const wait = this.#wait(code);
    this.#leave();
    this.online = false;
    if (code) {
      const message = this.#failed?.message ?? "";
      const refusal = { code, message, final: wait === null };
      if (refusal.final) {
        this.ended = refusal;
        this.close();
      }
      this.#emit("refused", refusal);
    }
    this.#failed = null;
    if (this.#closed) return;
    this.#retry = setTimeout(this.#connect, wait);
    this.#tellConnection(wait / 1000);
  }

  /** Milliseconds until the next try; null when there is none. */
  #wait(code) {
    if (FINAL.has(code)) return null;
    if (code === "busy") {
      this.#busySince ||= performance.now();
      const waited = performance.now() - this.#busySince;
      if (!this.#welcomed || waited > OWN_BUSY_FOR_MS) return null;
    }
    if (code && !AT_ONCE.has(code)) return LAST_RETRY_MS;
    const most = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#attempts);
    this.#attempts += 1;
    return most * (0.5 + Math.random() / 2);
  }

  #heard(message) {
    if (message.type === "welcome") {
      this.#ready = true;
      this.online = true;
      this.#welcomed = true;
      this.#busySince = 0;
      this.#hello.takeover = false;
      this.#cursor = message.next;
      this.#told = "recording"; // as every connection begins
      this.#acknowledged(message.next, message.saved_ms);
      this.#tellConnection(null);
      this.#emit("welcome", message);
      this.#pump();
    } else if (message.type === "ack") {
      this.#attempts = 0;
      this.#acknowledged(message.seq + 1, message.saved_ms);
      this.#emit("ack");
      this.#pump();
    } else if (message.type === "error") {
      this.#failed = message;
    } else {
      this.#emit("message", message);
    }
  }

  #acknowledged(next, savedMs) {
    this.#heardAt = performance.now();
    this.#outbox.acknowledge(next, savedMs);
    if (this.#outbox.pending === 0) this.#attempts = 0;
  }

  async #pump() {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      let socket = this.#socket;
      while (this.#ready && this.#room > 0) {
        const entries = await this.#outbox.read(this.#cursor, this.#room);
        if (socket !== this.#socket) {
          socket = this.#socket; // cut, and perhaps connected again, while we read
          continue;
        }
        if (this.#cursor === this.#outbox.acked) this.#heardAt = performance.now();
        // Audio of before a pause may be sent after it began; the server takes none in a pause.
        if (this.#told !== "recording") this.#tell("recording");
        for (const { seq, message } of entries) {
          socket.send(message);
          this.#cursor = seq + 1;
        }
      }
      if (this.#ready && this.#cursor === this.#outbox.next) this.#tell(this.#state);
    } finally {
      this.#pumping = false;
    }
  }

  /** How many entries may be sent now. */
  get #room() {
    const { acked, committed } = this.#outbox;
    return Math.min(committed - this.#cursor, WINDOW - (this.#cursor - acked));
  }

  #tell(state) {
    if (state === this.#told || this.#hello.mode === "drain") return;
    this.#socket.send(JSON.stringify({ type: "state", state }));
    this.#told = state;
  }

  #tellConnection(retryIn) {
    this.#emit("connection", { online: this.online, retryIn });
  }

  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
