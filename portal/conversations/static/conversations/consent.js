// Shows the text to read in the language that is chosen.
const show = (select) => {
  for (const wording of select.form.querySelectorAll("[data-wording]")) {
    wording.hidden = wording.dataset.wording !== select.value;
  }
};

document.addEventListener("change", (event) => {
  if (event.target.name === "consent_language") show(event.target);
});
