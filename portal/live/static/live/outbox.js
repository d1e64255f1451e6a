// What was recorded and is not yet on the server's disk, in IndexedDB: written before it is sent,
// gone when it was acknowledged, still there after the browser was killed.
//
// "entries" holds messages exactly as they are sent (protocol.py), "parts" what is known of each
// stretch of a recording that this browser made:
//   {recording, part, socket, startedAt, next, acked, totalMs, ackedMs, savedMs, lastAt, refused}
// `next` is the sequence number to come, `acked` the first that is not acknowledged, `totalMs` and
// `ackedMs` the audio up to them, `savedMs` the whole recording on the server, `lastAt` the end of
// the last frame (ms), `refused` why the server takes no more of it ("" as a rule).

import { Link } from "./link.js";

const DATABASE = "portal-live";
const BYTES_PER_MS = 32;
const HEAD_BYTES = 5;
const LOST_MS = 250;
const FORGET_AFTER_MS = 30 * 24 * 3600 * 1000;
export const RATE = 16000;
export const Kind = { AUDIO: 0, PAUSED: 1, PRIVATE: 2, INTERRUPTED: 3 };

const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const done = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("", "AbortError"));
  });

let opened;
const database = () => {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("entries", { keyPath: ["recording", "part", "seq"] });
      request.result.createObjectStore("parts", { keyPath: ["recording", "part"] });
    };
    request.onsuccess = () => {
      request.result.onclose = () => {
        opened = undefined;
      };
      resolve(request.result);
    };
    request.onerror = () => {
      opened = undefined;
      reject(request.error);
    };
  });
  return opened;
};

/** All keys that begin with `start`: arrays sort after numbers and strings. */
const beginning = (...start) => IDBKeyRange.bound(start, [...start, []]);

const allParts = async (range) => {
  const transaction = (await database()).transaction("parts");
  const parts = await answer(transaction.objectStore("parts").getAll(range));
  return parts.sort((a, b) => a.startedAt - b.startedAt);
};

/** The message of one entry; `payload` is PCM (Int16Array) or, for a gap, its length in ms. */
const pack = (seq, kind, payload) => {
  const gap = kind !== Kind.AUDIO;
  const message = new Uint8Array(HEAD_BYTES + (gap ? 4 : payload.byteLength));
  const view = new DataView(message.buffer);
  view.setUint32(0, seq, true);
  view.setUint8(4, kind);
  if (gap)
    view.setUint32(HEAD_BYTES, Math.min(Math.max(Math.round(payload), 0), 2 ** 32 - 1), true);
  else
    message.set(new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength), HEAD_BYTES);
  return message;
};

/**
 * The entries of one part, used by one page at a time (see `hold`).
 *
 * Event "problem" with detail {code: "storage-full" | "no-storage"}: entries are kept in memory
 * from now on, and sent as before. Told again only after storing went well in between.
 */
export class Outbox extends EventTarget {
  #row;
  #memory = new Map(); // seq -> entry that could not be stored
  #totals = new Map(); // seq -> audio up to and with it (ms), of what is not acknowledged
  #troubled = false;
  #closed = false;
  /** Entries below it are kept as well as they can be, and may be sent. */
  committed;

  constructor(row) {
    super();
    this.#row = row;
    this.committed = row.next;
  }

  /** A new part of a recording. */
  static create({ recording, socket }) {
    return new Outbox({
      recording,
      part: crypto.randomUUID(),
      socket,
      startedAt: Date.now(),
      next: 0,
      acked: 0,
      totalMs: 0,
      ackedMs: 0,
      savedMs: 0,
      lastAt: 0,
      refused: "",
    });
  }

  /** The parts that this browser knows of a recording, oldest first; none without storage. */
  static async parts(recording) {
    return allParts(beginning(recording)).catch(() => []);
  }

  /**
   * Recordings of which this browser has audio that is not on the server, and that no page is at:
   * [{recording, parts, pendingSeconds, lastAt, refused}]. Parts that are long over are forgotten.
   */
  static async leftovers() {
    const parts = await allParts().catch(() => []);
    const held = new Set((await navigator.locks?.query())?.held.map(({ name }) => name));
    const found = new Map();
    for (const part of parts) {
      if (part.next === part.acked) {
        if (Date.now() - part.lastAt > FORGET_AFTER_MS) await Outbox.forget(part.recording);
      } else if (!held.has(lockName(part.recording))) {
        const { recording } = part;
        const known = found.get(recording) ?? {
          recording,
          parts: [],
          pendingSeconds: 0,
          lastAt: 0,
        };
        known.parts.push(part);
        known.pendingSeconds += (part.totalMs - part.ackedMs) / 1000;
        known.lastAt = Math.max(known.lastAt, part.lastAt);
        known.refused = part.refused;
        found.set(recording, known);
      }
    }
    return [...found.values()];
  }

  /** Nothing of a recording stays in this browser. */
  static async forget(recording) {
    const transaction = (await database()).transaction(["entries", "parts"], "readwrite");
    for (const store of ["entries", "parts"]) {
      transaction.objectStore(store).delete(beginning(recording));
    }
    await done(transaction);
  }

  get recording() {
    return this.#row.recording;
  }

  get part() {
    return this.#row.part;
  }

  get socket() {
    return this.#row.socket;
  }

  get next() {
    return this.#row.next;
  }

  get acked() {
    return this.#row.acked;
  }

  /** Entries that are not acknowledged. */
  get pending() {
    return this.#row.next - this.#row.acked;
  }

  get pendingSeconds() {
    return (this.#row.totalMs - this.#row.ackedMs) / 1000;
  }

  get savedSeconds() {
    return this.#row.savedMs / 1000;
  }

  get lastAt() {
    return this.#row.lastAt;
  }

  /** Resolves when the entry may be sent; `at`: the time of its end (ms). */
  async append(kind, payload, at = Date.now()) {
    if (this.#closed) return;
    const row = this.#row;
    const seq = row.next;
    const message = pack(seq, kind, payload);
    row.next += 1;
    if (kind === Kind.AUDIO) row.totalMs += payload.byteLength / BYTES_PER_MS;
    row.lastAt = at;
    this.#totals.set(seq, row.totalMs);
    const entry = { recording: row.recording, part: row.part, seq, total: row.totalMs, message };
    try {
      await this.#store(entry, { ...row });
      this.#troubled = false;
    } catch (error) {
      if (seq >= row.acked) this.#memory.set(seq, entry);
      this.#tell(error.name === "QuotaExceededError" ? "storage-full" : "no-storage");
    }
    this.committed = Math.max(this.committed, seq + 1);
  }

  async #store(entry, row) {
    // A laptop whose battery ends must find it again: "strict" waits for the disk.
    const transaction = (await database()).transaction(["entries", "parts"], "readwrite", {
      durability: "strict",
    });
    const stored = done(transaction);
    transaction.objectStore("entries").put(entry);
    transaction.objectStore("parts").put(row);
    await stored;
  }

  #tell(code) {
    if (this.#troubled) return;
    this.#troubled = true;
    this.dispatchEvent(new CustomEvent("problem", { detail: { code } }));
  }

  /**
   * Up to `count` entries from `from` on: [{seq, message}], without a hole. What could not be
   * stored before the browser was killed is lost, and becomes a gap.
   */
  async read(from, count) {
    const until = Math.min(from + count, this.committed);
    const { recording, part } = this.#row;
    const entries = new Map();
    try {
      const transaction = (await database()).transaction("entries");
      const range = IDBKeyRange.bound([recording, part, from], [recording, part, until - 1]);
      for (const entry of await answer(transaction.objectStore("entries").getAll(range))) {
        entries.set(entry.seq, entry);
      }
    } catch {
      // Without storage everything is in memory.
    }
    const found = [];
    for (let seq = from; seq < until; seq++) {
      const entry = this.#memory.get(seq) ?? entries.get(seq);
      if (entry) this.#totals.set(seq, entry.total);
      found.push({ seq, message: entry?.message ?? pack(seq, Kind.INTERRUPTED, LOST_MS) });
    }
    return found;
  }

  /** Entries below `next` are on the server's disk: they are not needed here any more. */
  async acknowledge(next, savedMs) {
    const row = this.#row;
    row.savedMs = savedMs;
    // Of what a page before this one stored, only the store knows how much it was.
    const elsewhere = next > row.acked && next < row.next && !this.#totals.has(next - 1);
    if (next > row.acked) {
      // More than we know of: what could not be stored here arrived all the same.
      row.next = Math.max(row.next, next);
      this.committed = Math.max(this.committed, next);
      row.ackedMs = this.#totals.get(next - 1) ?? row.ackedMs;
      row.acked = next;
      if (row.acked === row.next) row.ackedMs = row.totalMs;
      for (const known of [this.#totals, this.#memory]) {
        for (const seq of known.keys()) if (seq < next) known.delete(seq);
      }
    }
    if (this.#closed) return;
    try {
      const transaction = (await database()).transaction(["entries", "parts"], "readwrite");
      const stored = done(transaction);
      const entries = transaction.objectStore("entries");
      if (elsewhere) {
        const last = await answer(entries.get([row.recording, row.part, next - 1]));
        row.ackedMs = Math.max(row.ackedMs, last?.total ?? 0);
      }
      const first = [row.recording, row.part, 0];
      const range = IDBKeyRange.bound(first, [row.recording, row.part, row.acked], false, true);
      entries.delete(range);
      transaction.objectStore("parts").put({ ...row });
      await stored;
    } catch {
      // It stays a while longer; the server knows it when it comes again.
    }
  }

  /** The server takes no more of this part: remembered, so that nobody tries for ever. */
  async refuse(code) {
    this.#row.refused = code;
    await this.acknowledge(this.#row.acked, this.#row.savedMs);
  }

  /** Nothing is written from now on. */
  close() {
    this.#closed = true;
  }
}

/** Of a row of `Outbox.parts`: whether the server has not all of it, and would take it. */
export const isUnsent = ({ next, acked, refused }) => next > acked && !refused;

export const lockName = (recording) => `portal-live:${recording}`;

/**
 * Keep other tabs of this browser away from `name` until `release()`; null when another is at it,
 * unless it is stolen. `taken` resolves when another stole it from us.
 */
export const hold = (name, { steal = false } = {}) =>
  new Promise((resolve) => {
    let release;
    let taken;
    const kept = new Promise((free) => {
      release = free;
    });
    const lost = new Promise((tell) => {
      taken = tell;
    });
    if (!navigator.locks) {
      resolve({ release, taken: lost });
      return;
    }
    navigator.locks
      .request(name, steal ? { steal } : { ifAvailable: true }, (lock) => {
        resolve(lock && { release, taken: lost });
        return lock ? kept : undefined;
      })
      .catch(taken);
  });

/** Send what is left of some parts (rows of `Outbox.parts`), beside whoever records now. */
export const deliver = async (parts, { signal } = {}) => {
  for (const part of parts) {
    const outbox = new Outbox(part);
    const link = new Link({ outbox, mode: "drain" });
    const outcome = await link.delivered({ signal });
    if (!outcome.done) return outcome;
  }
  return { done: true };
};

/**
 * Send what `Outbox.leftovers()` says is left of a recording, over as many cuts as it takes.
 *
 * Gives {done: true}, or {done: false, code, message}: the server's reason, "busy" when another
 * tab is at it, "aborted" by `signal` or by a page that records.
 */
export const drain = async (leftover, { signal } = {}) => {
  const lock = await hold(`${lockName(leftover.recording)}:drain`);
  if (!lock) return { done: false, code: "busy", message: "" };
  const stop = new AbortController();
  signal?.addEventListener("abort", () => stop.abort());
  lock.taken.then(() => stop.abort());
  try {
    const parts = await Outbox.parts(leftover.recording);
    return await deliver(
      parts.filter(({ next, acked }) => next > acked),
      { signal: stop.signal },
    );
  } finally {
    lock.release();
  }
};
