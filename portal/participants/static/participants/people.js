// The keyboard in the list of people: arrows go from the filter to the rows and among them,
// Escape empties the filter and goes back to it.
const list = document.getElementById("people");
const filter = document.getElementById("people-q");

const rows = () => [...list.querySelectorAll("a.person")];

list?.addEventListener("keydown", (event) => {
  const all = rows();
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
});
