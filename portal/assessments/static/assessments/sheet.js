// Writing in the ficha: the keys, where the focus goes after a swap, and a save that fails.

document.addEventListener("keydown", (event) => {
  const button = event.target.closest("[data-edit]");
  if (button && event.key.toLowerCase() === "e" && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    button.click();
  }
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

document.body.addEventListener("htmx:afterSettle", ({ detail }) => {
  const id = detail.requestConfig?.elt.dataset.focus;
  const field = detail.elt.querySelector?.("[data-focus-here]");
  if (field) {
    grow(field);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  } else if (id) {
    document.getElementById(id)?.focus();
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
    detail.elt.querySelector("textarea").focus();
  });
}
