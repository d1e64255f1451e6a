// In the profile: the browser asks for its permission when the box is ticked, which is what it
// takes for a wish of the person in front of it.

const BOX = "input[name=browser_notifications]";

const tell = () => {
  const box = document.querySelector(BOX);
  const place = document.querySelector("[data-notification-permission]");
  if (!box || !place) return;
  const texts = place.dataset;
  const permission = window.Notification?.permission ?? "missing";
  const text = { denied: texts.textDenied, missing: texts.textMissing }[permission];
  place.hidden = !(box.checked && text);
  place.textContent = place.hidden ? "" : text;
};

document.addEventListener("change", async ({ target }) => {
  if (!target.matches(BOX)) return;
  if (target.checked && window.Notification?.permission === "default") {
    await Notification.requestPermission();
  }
  tell();
});
document.addEventListener("page-shown", tell);
tell();

// Asked for on another browser: this one asks at the first press, and only once.
document.addEventListener(
  "click",
  () => {
    const wanted = document.getElementById("news")?.dataset.browser === "true";
    if (wanted && window.Notification?.permission === "default") Notification.requestPermission();
  },
  { once: true },
);
