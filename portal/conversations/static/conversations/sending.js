// Sending a recording: tus-js-client with our words around it (server: conversations/uploads.py).
// Each file has a bar at the bottom centre and goes on while the dialog is closed and other pages
// are shown. Leaving the document stops it; choosing the same file again goes on from there.
import { csrf, fill } from "../web/js/words.js";

const CHUNK_BYTES = 8 * 1024 * 1024;
// Some five hours of waiting for a connection to come back, counted anew at every progress.
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, ...Array(1800).fill(10000)];
const SPEED_NEEDS_MS = 3000;

const sendings = document.getElementById("sendings");
const texts = sendings?.dataset;

const megabytes = new Intl.NumberFormat(document.documentElement.lang, {
  style: "unit",
  unit: "megabyte",
  maximumFractionDigits: 1,
});
const size = (bytes) => megabytes.format(bytes / 1e6);

/** What tus remembers of an unfinished sending: no file name, since it may name a person. */
const memory = {
  key: (fingerprint, creationTime) => `sending:${fingerprint}:${creationTime}`,
  async findAllUploads() {
    return this.find("sending:");
  },
  async findUploadsByFingerprint(fingerprint) {
    return this.find(`sending:${fingerprint}:`);
  },
  find(prefix) {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(prefix))
      .map((key) => ({ ...JSON.parse(localStorage.getItem(key)), urlStorageKey: key }));
  },
  async removeUpload(key) {
    localStorage.removeItem(key);
  },
  async addUpload(fingerprint, upload) {
    const key = this.key(fingerprint, upload.creationTime);
    const { size: bytes, creationTime, uploadUrl } = upload;
    localStorage.setItem(key, JSON.stringify({ size: bytes, creationTime, uploadUrl }));
    return key;
  },
};

class Sending {
  /** `fields`: {endpoint, participant, consent, engine, language, speakers, page,
   * form} of the form. */
  constructor(file, fields) {
    this.file = file;
    this.fields = fields;
    const bar = document.getElementById("sending-template").content.cloneNode(true);
    this.element = bar.querySelector(".sending");
    this.parts = Object.fromEntries(
      [...bar.querySelectorAll("[data-sending]")].map((part) => [part.dataset.sending, part]),
    );
    this.parts.name.textContent = file.name;
    this.parts.cancel.addEventListener("click", () => this.cancel());
    this.parts.resume.addEventListener("click", () => this.start());
    this.parts.dismiss.addEventListener("click", () => this.element.remove());
    sendings.append(bar);
    this.upload = new tus.Upload(file, {
      endpoint: fields.endpoint,
      chunkSize: CHUNK_BYTES,
      retryDelays: RETRY_DELAYS_MS,
      removeFingerprintOnSuccess: true,
      urlStorage: memory,
      fingerprint: async () =>
        [fields.participant, fields.consent, fields.engine, file.size, file.lastModified].join("-"),
      metadata: {
        filename: file.name,
        participant: fields.participant,
        consent: fields.consent,
        engine: fields.engine,
        language: fields.language,
        speakers: fields.speakers,
      },
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", csrf()),
      onShouldRetry: (error) => this.isPassing(error),
      onProgress: (sent, total) => this.progress(sent, total),
      onSuccess: ({ lastResponse }) => this.received(lastResponse),
      onError: (error) => this.failed(error),
    });
  }

  async begin() {
    const [previous] = await this.upload.findPreviousUploads();
    if (previous) {
      this.upload.resumeFromPreviousUpload(previous);
      this.say(texts.textResumed);
    }
    this.start();
  }

  start() {
    this.active = true;
    this.measured = undefined;
    this.parts.resume.hidden = true;
    this.parts.dismiss.hidden = true;
    this.parts.cancel.hidden = false;
    this.upload.start();
  }

  progress(sent, total) {
    const percent = total ? Math.floor((sent / total) * 100) : 0;
    this.parts.bar.value = percent;
    this.parts.percent.textContent = `${percent} %`;
    const detail = [fill(texts.textProgress, { sent: size(sent), total: size(total) })];
    this.measured ??= { sent, at: Date.now() };
    const elapsed = Date.now() - this.measured.at;
    const gone = sent - this.measured.sent;
    if (elapsed > SPEED_NEEDS_MS && gone > 0 && sent < total) {
      const minutes = Math.round(((total - sent) * elapsed) / gone / 60000);
      detail.push(minutes ? fill(texts.textMinutes, { minutes }) : texts.textMinute);
    }
    this.parts.detail.textContent = detail.join(" · ");
    if (this.cut && gone > 0) this.say("");
    if (sent === total) this.say(texts.textFinishing);
  }

  /** Whether waiting helps: no answer at all, a busy server, another request still writing. */
  isPassing(error) {
    const status = error.originalResponse?.getStatus() ?? 0;
    const { code } = this.answer(error);
    const passing = status === 0 || status === 423 || code === "wrong_offset" || status >= 500;
    if (!passing || code === "disk_full") return false;
    this.cut = true;
    this.measured = undefined;
    this.parts.message.textContent = texts.textCut;
    return true;
  }

  answer(error) {
    try {
      return JSON.parse(error.originalResponse.getBody());
    } catch {
      return {};
    }
  }

  failed(error) {
    this.active = false;
    const status = error.originalResponse?.getStatus() ?? 0;
    const { message, code } = this.answer(error);
    const signedOut = status === 401 || status === 403;
    // A refusal is final; anything else may go on from where it was.
    const resumable = signedOut || !message || code === "disk_full";
    this.parts.resume.hidden = !resumable;
    this.parts.dismiss.hidden = resumable;
    this.parts.cancel.hidden = !resumable;
    this.element.classList.toggle("is-refused", !resumable);
    this.say(signedOut ? texts.textSession : (message ?? texts.textStopped));
  }

  received(response) {
    this.active = false;
    if (response.getHeader("Portal-Duplicate") === "true") {
      this.say(texts.textDuplicate);
      this.parts.link.href = response.getHeader("Portal-Conversation-Url");
      htmx.process(this.parts.link);
      for (const name of ["link", "dismiss"]) this.parts[name].hidden = false;
      this.parts.cancel.hidden = true;
      return;
    }
    this.element.remove();
    const tell = (name, detail) =>
      document.body.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
    tell("toast", { message: texts.textReceived, level: "success" });
    // Here a page shows this person's conversations, or another page shows something else.
    for (const name of ["conversations", "activity", "people"]) tell(name);
    if (location.pathname === this.fields.form) tell("visit", { url: this.fields.page });
  }

  async cancel() {
    if (!confirm(texts.textCancel)) return;
    this.active = false;
    this.element.remove();
    await this.upload.abort(true).catch(() => {});
  }

  say(text) {
    this.cut = false;
    this.parts.message.textContent = text;
  }
}

Sending.all = [];
Object.defineProperty(Sending, "active", { get: () => Sending.all.filter((one) => one.active) });

addEventListener("beforeunload", (event) => {
  if (Sending.active.length) event.preventDefault();
});

// The form

const problemWith = (file, form) => {
  const { dataset } = form;
  if (!file) return dataset.textNone;
  if (file.size === 0) return dataset.textEmpty;
  if (file.size > Number(dataset.maxBytes)) {
    return fill(dataset.textLarge, { size: size(file.size), most: size(dataset.maxBytes) });
  }
  const suffix = file.name.match(/\.[^.]+$/)?.[0].toLowerCase() ?? "";
  const known = dataset.suffixes.split(" ").includes(suffix);
  return known || /^(audio|video)\//.test(file.type) ? "" : dataset.textType;
};

const showFile = (form) => {
  const input = form.elements.file;
  const file = input.files[0];
  const problem = file ? problemWith(file, form) : "";
  form.querySelector("[data-file-name]").textContent = file
    ? `${file.name} · ${size(file.size)}`
    : "";
  form.querySelector(".drop").classList.toggle("has-file", Boolean(file) && !problem);
  showProblem(form, problem);
};

const showProblem = (form, text) => {
  const problem = form.querySelector("[data-file-problem]");
  problem.textContent = text;
  problem.hidden = !text;
  form.elements.file.setAttribute("aria-invalid", String(Boolean(text)));
};

const formOf = (event) => event.target.closest?.("form[data-upload]");

document.addEventListener("change", (event) => {
  const form = formOf(event);
  if (form && event.target.name === "file") showFile(form);
});

for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    const form = formOf(event) ?? document.querySelector("form[data-upload]");
    if (!form) return;
    // A file dropped beside the form must not replace the page.
    event.preventDefault();
    const over = Boolean(event.target.closest?.(".drop")) && name !== "dragleave";
    form.querySelector(".drop").classList.toggle("is-over", over && name !== "drop");
    if (name === "drop" && event.dataTransfer.files.length) {
      form.elements.file.files = event.dataTransfer.files;
      showFile(form);
    }
  });
}

document.addEventListener("submit", (event) => {
  const form = formOf(event);
  if (!form) return;
  event.preventDefault();
  const file = form.elements.file.files[0];
  const problem = problemWith(file, form);
  showProblem(form, problem);
  if (problem) {
    form.elements.file.focus();
    return;
  }
  const { endpoint, participant, consent, page, form: own } = form.dataset;
  const engine = form.elements.engine.value;
  const language = form.elements.language.value;
  const speakers = form.elements.speakers.value;
  const fields = { endpoint, participant, consent, page, form: own, engine, language, speakers };
  const sending = new Sending(file, fields);
  Sending.all.push(sending);
  sending.begin();
  form.reset();
  showFile(form);
  document.body.dispatchEvent(new Event("dialog-close"));
});
