// What every page does: notices, errors of htmx requests in plain words, the dialog, the theme.
import "./keep-scroll.js";
import "./navigation.js";
import { csrf } from "./words.js";

const toasts = document.getElementById("toasts");
const texts = toasts.dataset;
const ICONS = {
  success: "bi-check-circle",
  error: "bi-exclamation-octagon",
  warning: "bi-exclamation-triangle",
  info: "bi-info-circle",
};
const SUCCESS_STAYS_MS = 8000;

/**
 * Show a notice. `key`: a notice with the same key is shown once; `link`: {href, text}.
 */
export function notify(message, level = "info", { key, link } = {}) {
  if (key) toasts.querySelector(`[data-key="${CSS.escape(key)}"]`)?.remove();
  const notice = document.createElement("div");
  notice.className = `notice notice-${level}`;
  if (key) notice.dataset.key = key;
  const icon = document.createElement("i");
  icon.className = `bi ${ICONS[level] ?? ICONS.info}`;
  icon.setAttribute("aria-hidden", "true");
  const text = document.createElement("div");
  text.className = "notice-text";
  text.textContent = message;
  if (link) {
    const anchor = document.createElement("a");
    Object.assign(anchor, { href: link.href, textContent: link.text, target: "_blank" });
    text.append(document.createElement("br"), anchor);
  }
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-close";
  close.dataset.noticeClose = "";
  close.setAttribute("aria-label", texts.textClose);
  notice.append(icon, text, close);
  toasts.append(notice);
  letSuccessGo();
  return notice;
}

/** Good news goes away by itself (the bell keeps it); what has to be dealt with stays. */
function letSuccessGo() {
  for (const notice of toasts.querySelectorAll(".notice-success:not([data-going])")) {
    notice.dataset.going = "";
    setTimeout(() => notice.remove(), SUCCESS_STAYS_MS);
  }
}

const forget = (key) => toasts.querySelector(`[data-key="${key}"]`)?.remove();

toasts.addEventListener("click", (event) => {
  if (event.target.closest("[data-notice-close]")) event.target.closest(".notice").remove();
});
letSuccessGo();
document.body.addEventListener("htmx:oobAfterSwap", letSuccessGo);
document.body.addEventListener("toast", (event) => {
  notify(event.detail.message, event.detail.level);
});

// htmx

document.body.addEventListener("htmx:configRequest", (event) => {
  // From the cookie and not from the page: it changes when one signs in again in another tab.
  // The field of the form, written when the page was made, would stand before the header.
  event.detail.headers["X-CSRFToken"] = csrf();
  delete event.detail.parameters.csrfmiddlewaretoken;
});

const isSave = (detail) => detail.requestConfig?.verb !== "get";

const unanswered = (detail, text) => {
  if (isSave(detail)) notify(texts.textSave, "error", { key: "unsaved" });
  else notify(text, "error", { key: "connection" });
};
document.body.addEventListener("htmx:sendError", ({ detail }) => {
  unanswered(detail, texts.textOffline);
});
document.body.addEventListener("htmx:timeout", ({ detail }) => {
  unanswered(detail, texts.textLoad);
});
document.body.addEventListener("htmx:responseError", ({ detail }) => {
  const status = detail.xhr.status;
  if (status === 401) {
    const next = encodeURIComponent(location.pathname + location.search);
    notify(texts.textSession, "warning", {
      key: "session",
      link: { href: `${texts.signIn}?next=${next}`, text: texts.textSignIn },
    });
  } else if (status === 403) {
    notify(texts.textForbidden, "error", { key: "forbidden" });
  } else if (status === 404 || status === 410) {
    notify(texts.textGone, "warning", { key: "gone" });
  } else if (status === 429) {
    notify(texts.textBusy, "warning", { key: "busy" });
  } else {
    notify(texts.textServer, "error", { key: "server" });
  }
});
document.body.addEventListener("htmx:swapError", () => {
  notify(texts.textLoad, "error", { key: "load" });
});
document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful) {
    forget("connection");
    // The page looks for news by itself: that it found some saves nothing.
    if (isSave(detail)) forget("unsaved");
    forget("session");
  }
});

// The dialog opens when something arrives in it; focus goes to its first field.

const dialog = document.getElementById("dialog");
const modal = () => bootstrap.Modal.getOrCreateInstance(dialog);

const focusFirstField = () => {
  const field =
    dialog.querySelector(".is-invalid") ??
    dialog.querySelector("[autofocus]") ??
    dialog.querySelector("input:not([type=hidden]), select, textarea");
  field?.focus();
};

document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "dialog-content") return;
  if (dialog.classList.contains("show")) focusFirstField();
  else modal().show();
});
dialog.addEventListener("shown.bs.modal", () => {
  // A modal keeps keyboard and screen reader inside: what is told meanwhile must be there too.
  dialog.append(toasts);
  focusFirstField();
});
dialog.addEventListener("hidden.bs.modal", () => {
  dialog.before(toasts);
  document.getElementById("dialog-content").replaceChildren();
});
document.body.addEventListener("dialog-close", () => modal().hide());

// The theme

const showThemeChoice = () => {
  const choice = document.documentElement.dataset.themeChoice;
  for (const button of document.querySelectorAll("button[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
  }
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-theme-choice]");
  if (!button) return;
  localStorage.setItem("portal-theme", button.dataset.themeChoice);
  dispatchEvent(new Event("portal-theme"));
  showThemeChoice();
});

document.addEventListener("page-shown", showThemeChoice);
showThemeChoice();
