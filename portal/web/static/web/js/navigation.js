// Going from page to page while the document stays, so that what plays or is being sent goes on.
//
// htmx follows the links and forms of body[hx-boost] and asks for whole pages (HX-Boosted); here
// their #page is put in place of the one that is shown, with its title, focus and scroll. What has
// no such page in it (sign-in, administration, a recording) is loaded as a document of its own.

const HEADERS = { "HX-Boosted": "true" };
const GOES_ON = /<body\b[^>]*\bhx-boost="true"/;
// What Bootstrap opens or closes, and files.
const NOT_BOOSTED = "a[download], a[data-bs-toggle], a[data-bs-dismiss]";

const address = () => location.pathname + location.search;
const part = (id) => document.getElementById(id);

/** Where each address was scrolled to, as long as this document lasts. */
const scrolled = new Map();
let shown = address();
/** The visit under way: {xhr, back}; `back`: through the browser's history, either way. */
let visit;
let goesBack = false;

const isVisit = ({ requestConfig }) => requestConfig?.headers["HX-Boosted"] === "true";

/** `to`: an address of the portal. */
const go = (to, { back = false } = {}) => {
  goesBack = back;
  // Of its own each time: htmx lets the requests of one element wait for each other.
  const source = document.createElement("span");
  document.body.append(source);
  htmx
    .ajax("GET", to, { source, target: "#page", headers: HEADERS, push: String(!back) })
    .catch(() => {}) // told by its event
    .finally(() => source.remove());
};

// What is left of a page that goes

const closeWhatIsOpen = () => {
  bootstrap.Modal.getInstance(part("dialog"))?.hide();
  const people = part("people");
  if (people) bootstrap.Offcanvas.getInstance(people)?.hide();
  // Bootstrap would keep them, and the page around them, in memory.
  for (const toggle of part("page").querySelectorAll('[data-bs-toggle="dropdown"]')) {
    if (!toggle.closest("[hx-preserve]")) bootstrap.Dropdown.getInstance(toggle)?.dispose();
  }
};

/** The list of people stays as it is for whoever has filtered it or gone down in it. */
const keepPeople = (html) => {
  const people = part("people");
  const inUse = part("people-q")?.value || people?.querySelector("nav").scrollTop;
  const inPage = html.includes('class="people people-in-page"');
  if (!inUse || people.classList.contains("people-in-page") !== inPage) return html;
  return html.replace('<aside id="people"', '<aside id="people" hx-preserve');
};

const markPerson = () => {
  const { person } = part("main").dataset;
  const current = document.querySelector(".people-filter [name=current]");
  if (current) current.value = person;
  for (const row of document.querySelectorAll("a.person")) {
    if (person && row.pathname.includes(person)) row.setAttribute("aria-current", "page");
    else row.removeAttribute("aria-current");
  }
};

const namedPlace = () => location.hash && part(decodeURIComponent(location.hash.slice(1)));

/** To what the address names, else to the top, or where this page was left. */
const arrive = (back) => {
  const named = namedPlace();
  const place = named || part("main").querySelector("h1") || part("main");
  if (!place.matches("a, button, input, [tabindex]")) place.tabIndex = -1;
  place.focus({ preventScroll: true });
  const left = back ? scrolled.get(location.href) : undefined;
  if (left !== undefined || !named) scrollTo({ top: left ?? 0, behavior: "instant" });
  // Scrolls there, and lets CSS know it as the :target.
  else location.replace(location.href);
};

// The way of a visit through htmx

document.addEventListener("htmx:beforeProcessNode", ({ target }) => {
  if (target.matches(NOT_BOOSTED)) target.setAttribute("hx-boost", "false");
});

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (!isVisit(detail)) return;
  // One that was under way is let go: what it brings is not shown.
  visit = { xhr: detail.xhr, back: goesBack };
  goesBack = false;
  document.documentElement.classList.add("is-going");
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (!isVisit(detail)) return;
  const { xhr, requestConfig } = detail;
  if (xhr !== visit?.xhr) {
    detail.shouldSwap = false;
    detail.isError = false;
    return;
  }
  if (detail.isError) {
    // The way back has no page to stay on; and a session that ended leads to the sign-in. Else
    // one stays here, and shell.js tells.
    const ended = xhr.status === 401 && requestConfig.verb === "get";
    if (!visit.back && !ended) return;
    detail.isError = false;
    if (visit.back) location.reload();
    else location.assign(detail.pathInfo.finalRequestPath);
    return;
  }
  if (!GOES_ON.test(detail.serverResponse)) {
    detail.shouldSwap = false;
    location.assign(xhr.responseURL);
    return;
  }
  history.scrollRestoration = "manual";
  closeWhatIsOpen();
  detail.serverResponse = keepPeople(detail.serverResponse);
  detail.target = part("page");
  detail.selectOverride = "#page > *";
  detail.swapOverride = "innerHTML";
});

document.addEventListener("htmx:afterSettle", ({ detail, target }) => {
  if (!isVisit(detail) || target.id !== "page") return;
  shown = address();
  markPerson();
  arrive(visit.back);
  document.dispatchEvent(new Event("page-shown"));
});

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.xhr !== visit?.xhr) return;
  visit = undefined;
  document.documentElement.classList.remove("is-going");
});

document.addEventListener("htmx:sendError", ({ detail }) => {
  if (!isVisit(detail) || address() === shown) return;
  // The address is already that of the page that could not be had.
  shown = undefined;
  const missing = part("page-missing").content.cloneNode(true);
  missing.querySelector("a").href = location.href;
  part("main").replaceChildren(missing);
  htmx.process(part("main"));
  arrive(false);
});

// Back and forward

document.addEventListener("htmx:historyCacheMiss", (event) => event.preventDefault());

addEventListener("popstate", () => {
  if (address() !== shown) go(address(), { back: true });
  else if (history.scrollRestoration === "auto") return;
  else if (location.hash) namedPlace()?.scrollIntoView();
  else scrollTo({ top: scrolled.get(location.href) ?? 0, behavior: "instant" });
});

addEventListener("scroll", () => scrolled.set(location.href, scrollY), { passive: true });

addEventListener("pagehide", () => {
  // After a reload the browser finds the place by itself.
  history.scrollRestoration = "auto";
});

// From scripts

document.addEventListener("visit", ({ detail }) => go(detail.url));

document.addEventListener("page-shown", () => {
  // What other pages of this person, or other people, may have changed meanwhile.
  document.body.dispatchEvent(new Event("notifications"));
  // While something is in process it asks by itself, and tells what ends.
  if (!part("activity")?.firstElementChild) document.body.dispatchEvent(new Event("activity"));
});
