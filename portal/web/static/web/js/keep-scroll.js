// An element with data-keep-scroll="name" is where it was when the next document shows it again.

const key = (element) => `scroll:${element.dataset.keepScroll}`;

for (const element of document.querySelectorAll("[data-keep-scroll]")) {
  element.scrollTop = Number(sessionStorage.getItem(key(element)) ?? 0);
}
addEventListener("pagehide", () => {
  for (const element of document.querySelectorAll("[data-keep-scroll]")) {
    sessionStorage.setItem(key(element), element.scrollTop);
  }
});
