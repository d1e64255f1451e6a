// Letters as shortcuts. They can be turned off, since software that types what is spoken would
// press them (WCAG 2.1.4), and they rest while one writes or a dialog or a menu is open.

const KEPT = "live-keys";

const kept = () => {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
};

/** `actions`: letter -> what it does; `isOn`: whether there is anything to do just now. */
export function listenToKeys(actions, isOn) {
  const dialog = document.getElementById("keys");
  const use = document.getElementById("use-keys");
  use.checked = kept();
  use.addEventListener("change", () => {
    try {
      localStorage.setItem(KEPT, use.checked ? "on" : "off");
    } catch {
      // Storage may be forbidden; the choice then holds for this page.
    }
  });
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  document.addEventListener("keydown", (event) => {
    const { key, target, repeat, isComposing, ctrlKey, metaKey, altKey } = event;
    const action = actions[key.toLowerCase()];
    if (!action || !use.checked || repeat || isComposing || ctrlKey || metaKey || altKey) return;
    if (target.closest?.("input, select, textarea, [contenteditable], dialog")) return;
    if (!isOn() || document.querySelector("dialog[open], .dropdown-menu.show")) return;
    event.preventDefault();
    action();
  });
  return { show: () => dialog.showModal() };
}
