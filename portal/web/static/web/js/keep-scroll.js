// An element with data-keep-scroll="name" is where it was when the next page shows it again.

export function initialiseKeepScroll() {
  for (const element of document.querySelectorAll("[data-keep-scroll]")) {
    const key = `scroll:${element.dataset.keepScroll}`;
    element.scrollTop = Number(sessionStorage.getItem(key) ?? 0);
    addEventListener("pagehide", () => sessionStorage.setItem(key, element.scrollTop));
  }
}
