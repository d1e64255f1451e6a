// The keyboard in the list of people: arrows go from the filter to the rows and among them,
// Escape empties the filter and goes back to it.

const walk = (event) => {
  const list = event.target.closest("#people");
  if (!list) return;
  const filter = list.querySelector("#people-q");
  const all = [...list.querySelectorAll("a.person")];
  const at = all.indexOf(document.activeElement);
  const inFilter = document.activeElement === filter;
  if (event.key === "ArrowDown" && (inFilter || at >= 0)) {
    event.preventDefault();
    all[at + 1]?.focus();
  } else if (event.key === "ArrowUp" && at >= 0) {
    event.preventDefault();
    (all[at - 1] ?? filter).focus();
  } else if (event.key === "Enter" && inFilter && all.length === 1) {
    event.preventDefault();
    all[0].click();
  } else if (event.key === "Escape" && filter.value && (inFilter || at >= 0)) {
    event.preventDefault();
    event.stopPropagation();
    filter.value = "";
    filter.dispatchEvent(new Event("input", { bubbles: true }));
    filter.focus();
  }
};

// Before the panel that the list is on a narrow page, which Escape would close.
document.addEventListener("keydown", walk, { capture: true });
