// The ficha: the keys, where the focus goes after a swap, and a save that fails.

const CARD = "article.answer";
const WRITES = "input, textarea, select";
// Each presses a button of the card that has the focus in it.
const KEYS = { a: "[data-accept]", e: "[data-edit]", r: "[data-reject]" };

const shortcut = (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches(WRITES)) return;
  const card = event.target.closest?.(CARD);
  const enters = event.key === "Enter" && event.target === card;
  const button = card?.querySelector(enters ? KEYS.e : KEYS[event.key.toLowerCase()] || "x-none");
  if (!button) return;
  event.preventDefault();
  button.click();
};

document.addEventListener("keydown", (event) => {
  shortcut(event);
  const form = event.target.closest("[data-answer-form]");
  if (!form || event.isComposing) return;
  if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
    event.preventDefault();
    form.requestSubmit();
  } else if (event.key === "Escape") {
    event.preventDefault();
    form.querySelector("[data-leave]").click();
  }
});

/** The first answer after `place` that no person has decided, else nothing. */
const pendingAfter = (place) =>
  [...document.querySelectorAll(`${CARD}[data-pending]`)].find(
    (card) => place.compareDocumentPosition(card) & Node.DOCUMENT_POSITION_FOLLOWING,
  );

const goOn = (place) => {
  const here = place.matches(CARD) ? place : place.querySelector("h2");
  const next = (place.dataset.then === "next" && pendingAfter(place)) || here;
  delete place.dataset.then;
  next.focus();
};

document.body.addEventListener("htmx:afterSettle", ({ detail }) => {
  const id = detail.requestConfig?.elt.dataset.focus;
  const field = detail.elt.querySelector?.("[data-focus-here]");
  if (field) {
    field.focus();
    if (field.matches("textarea")) {
      grow(field);
      field.setSelectionRange(field.value.length, field.value.length);
    }
  } else if (id) {
    document.getElementById(id)?.focus();
  } else if (detail.elt.matches?.("[data-then]")) {
    goOn(detail.elt);
  }
});

const grow = (field) => {
  field.rows = Math.max(2, field.value.split("\n").length);
};

for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
  document.body.addEventListener(name, ({ detail }) => {
    if (!detail.elt.matches("[data-answer-form]")) return;
    const problem = detail.elt.querySelector("[data-problem]");
    problem.hidden = false;
    problem.querySelector("[data-unsaved]").hidden = false;
    detail.elt.querySelector("[data-focus-here]").focus();
  });
}
