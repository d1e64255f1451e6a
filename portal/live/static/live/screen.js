// The page of a live recording: consent, check, interview, in one page so that the microphone
// stays open. Here it goes from one to the next; interview.js is what happens in the last.

import { csrf, data, partsOf, say } from "../web/js/words.js";
import { Checks } from "./checks.js";
import { Interview } from "./interview.js";

const root = document.getElementById("live");
const texts = root.dataset;
const parts = partsOf(root, "live");
const stages = [...root.querySelectorAll("[data-stage]")];
const known = texts.recording !== undefined;

const checks = new Checks(root);
const interview = new Interview(root, checks);
const addresses = data("live-addresses");
interview.said.addGaps(data("live-gaps"));
interview.said.add(data("live-turns"));

const focus = (heading) => {
  scrollTo(0, 0);
  heading.focus({ preventScroll: true });
};

const show = (name) => {
  document.body.dataset.stage = name;
  for (const stage of stages) stage.hidden = stage.dataset.stage !== name;
  document.querySelector("[data-live=leave]").hidden = name === "interview";
  focus(root.querySelector(`section[data-stage=${name}] h1`));
};

// A new one

parts.agree?.addEventListener("click", () => {
  show("check");
  checks.listen();
});
// A press before anybody listens would do nothing.
if (parts.agree) parts.agree.disabled = false;

parts.samples?.addEventListener("skipped", () => parts.start.focus());

const refuse = ({ message, page }) => {
  const { refusal } = parts;
  say(refusal.querySelector("[data-refusal=words]"), message);
  const link = refusal.querySelector("[data-refusal=page]");
  link.hidden = !page;
  if (page) Object.assign(link, { href: page, textContent: texts.textOpenPage });
  refusal.hidden = false;
};

/** The addresses of a recording that is made now; null when it was refused, which is said. */
const create = async () => {
  const form = new FormData();
  form.set("language", parts.language.value);
  form.set("speakers", parts.speakers.value);
  form.set("engine", parts.engine.value);
  for (const [role, samples] of Object.entries(checks.samples.taken)) {
    form.set(`voice_${role}`, new Blob([samples]));
  }
  const headers = { "X-CSRFToken": csrf(), Accept: "application/json" };
  let answer = {};
  try {
    const response = await fetch(addresses.start, { method: "POST", body: form, headers });
    answer = await response.json();
    if (response.ok) return answer;
  } catch {
    // No answer, or none of ours: the sentence below says what to do.
  }
  refuse({ ...answer, message: answer.message ?? texts.textCannotStart });
  return null;
};

const begin = async () => {
  if (checks.samples?.busy || !checks.capture) return;
  parts.start.disabled = true;
  parts.refusal.hidden = true;
  if (!known && !interview.recorder) {
    const made = await create();
    if (!made) {
      parts.start.disabled = false;
      return;
    }
    interview.open(made, {});
    // So that loading the page again goes on with it.
    history.replaceState(null, "", made.page);
  }
  show("interview");
  await interview.begin({ takeover: texts.elsewhere !== undefined });
};

parts.start.addEventListener("click", begin);

// One that is open already

if (known) {
  interview.open(addresses, {
    lastAt: Number(texts.seen) * 1000,
    savedSeconds: Number(texts.saved) / 1000,
  });
  document.body.dataset.stage = "check";
  parts.continue.addEventListener("click", () => {
    parts.interrupted.hidden = true;
    parts.check.hidden = false;
    focus(document.getElementById("sound-title"));
    checks.listen();
  });
  parts["finish-here"].addEventListener("click", () => interview.ending.send());
} else {
  document.body.dataset.stage = "consent";
}
