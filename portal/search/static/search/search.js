// The search dialog's keys: Ctrl+K opens it from any page, arrows go from the field to what is
// found and among it, Enter in the field opens the first, once it answers what is written there.

const OPENER = "a[data-search]";

const open = (event) => {
  if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
  if (event.shiftKey || event.altKey) return;
  const field = document.getElementById("search-q");
  const opener = document.querySelector(OPENER);
  if (!field && !opener) return;
  event.preventDefault();
  if (field) field.select();
  // Another dialog may hold something that is being written.
  else if (!document.querySelector("#dialog.show")) opener.click();
};

const walk = (event) => {
  const field = document.getElementById("search-q");
  if (!field || event.isComposing) return;
  const found = [...document.querySelectorAll("#search-results [data-found]")];
  const at = found.indexOf(document.activeElement);
  const inField = document.activeElement === field;
  if (event.key === "ArrowDown" && (inField || at >= 0)) {
    event.preventDefault();
    found[at + 1]?.focus();
  } else if (event.key === "ArrowUp" && at >= 0) {
    event.preventDefault();
    (found[at - 1] ?? field).focus();
  } else if (event.key === "Enter" && inField && found.length) {
    const answers = document.querySelector("#search-results [data-q]")?.dataset.q;
    if (answers !== field.value) return; // the form asks again
    event.preventDefault();
    found[0].click();
  }
};

document.addEventListener("keydown", (event) => {
  open(event);
  walk(event);
});
