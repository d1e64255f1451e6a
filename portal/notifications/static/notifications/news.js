// What happens, as the server tells it: one stream for all tabs of this browser.
//
// The tab that holds the lock has the stream and passes on what it hears; when that tab is closed,
// the next one takes the lock. Where there is no stream (a proxy that holds it back, a server that
// has none, a browser without locks since the portal is not reached by https), the tab asks from
// time to time. What is heard says only that there is something to look at.

const news = document.getElementById("news").dataset;
const NAME = "portal-news";
const KINDS = ["refresh", "notifications", "activity"];
const QUIET_MS = 50_000; // the server gives a sign of life every 20 s
const ASK_MS = 30_000;
const ASK_PROGRESS_MS = 2000;
const FIRST_AGAIN_MS = 2000;
const LAST_AGAIN_MS = 60_000;
const SEEN_MS = 400;

const channel = new BroadcastChannel(NAME);
let leads = false;
let live = false;
/** A session that ended: asking again would only say so again. */
let signedOut = false;

const look = (event) => document.body.dispatchEvent(new Event(event));
const isInProcess = () => Boolean(document.getElementById("activity")?.firstElementChild);

// In every tab

/** What a hidden tab has to look at when it is shown. */
const waiting = new Set();

const drawBell = () => look("notifications");

/** What somebody is reading is not drawn anew under their eyes, but when they have closed it. */
const bellIsRead = () => {
  const button = document.getElementById("bell-button");
  if (button?.getAttribute("aria-expanded") !== "true") return false;
  button.addEventListener("hidden.bs.dropdown", drawBell, { once: true });
  return true;
};

document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id === "bell" && bellIsRead()) detail.shouldSwap = false;
});

const lookAt = (kind) => {
  if (document.hidden) {
    waiting.add(kind);
    return;
  }
  if (kind !== "activity" && !bellIsRead()) drawBell();
  // The bar knows what it was showing, and tells what ended.
  look(isInProcess() ? "progress" : "activity");
};

const hear = (message) => {
  if (message.type === "live") live = message.live;
  else if (message.type === "who") introduce();
  else if (message.type === "seen") seen.add(message.id);
  else lookAt(message.type);
  if (message.id && message.type === "notifications" && document.hasFocus()) {
    pass({ type: "seen", id: message.id });
  }
};

const pass = (message) => channel.postMessage(message);
channel.addEventListener("message", ({ data }) => hear(data));

/** For this tab and all the others. */
const tell = (message) => {
  hear(message);
  pass(message);
};

document.addEventListener("visibilitychange", () => {
  if (document.hidden || waiting.size === 0) return;
  const kind = waiting.has("refresh") || waiting.has("notifications") ? "refresh" : "activity";
  waiting.clear();
  lookAt(kind);
});

setInterval(() => {
  if (!live && !signedOut && !document.hidden && isInProcess()) look("progress");
}, ASK_PROGRESS_MS);

document.body.addEventListener("htmx:responseError", ({ detail }) => {
  if (detail.xhr.status === 401) signedOut = true;
});
document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (detail.successful) signedOut = false;
});

// In the tab that leads

let stream;
let quiet;
let again;
let pause = FIRST_AGAIN_MS;

const becomes = (isLive) => {
  live = isLive;
  pass({ type: "live", live });
};

const introduce = () => {
  if (!leads) return;
  pass({ type: "live", live });
  // A tab that has just come may have signed in.
  if (!live) connect();
};

const disconnect = () => {
  clearTimeout(quiet);
  clearTimeout(again);
  stream?.close();
  stream = undefined;
};

const tryAgainLater = () => {
  disconnect();
  becomes(false);
  // Not all at the same time, when a server comes back.
  again = setTimeout(connect, pause * (0.75 + Math.random() / 2));
  pause = Math.min(pause * 2, LAST_AGAIN_MS);
};

const isAlive = () => {
  clearTimeout(quiet);
  quiet = setTimeout(tryAgainLater, QUIET_MS);
};

const connect = () => {
  disconnect();
  stream = new EventSource(news.stream);
  isAlive();
  stream.addEventListener("alive", isAlive);
  for (const kind of KINDS) {
    stream.addEventListener(kind, (event) => {
      isAlive();
      if (!live) becomes(true);
      pause = FIRST_AGAIN_MS;
      const message = { ...JSON.parse(event.data), type: kind };
      tell(message);
      if (message.id) show(message);
    });
  }
  stream.onerror = tryAgainLater;
};

const lead = () => {
  navigator.locks.request(NAME, async () => {
    leads = true;
    connect();
    await new Promise((left) => addEventListener("pagehide", left, { once: true }));
    leads = false;
    disconnect();
  });
};

setInterval(() => {
  if (!live && !signedOut && (leads || !navigator.locks)) tell({ type: "refresh" });
}, ASK_MS);

if (navigator.locks) {
  lead();
  // Shown again by the browser's "back", as it was left.
  addEventListener("pageshow", ({ persisted }) => persisted && lead());
}
pass({ type: "who" });

// The browser's own notification, once for all tabs, unless somebody is looking at one of them

/** Notifications that were told to a tab in use. */
const seen = new Set();

const show = ({ id, kind }) => {
  if (news.browser !== "true" || window.Notification?.permission !== "granted") return;
  setTimeout(() => {
    if (seen.delete(id) || document.hasFocus()) return;
    // Whoever sees the screen may read it: it names nobody.
    const notification = new Notification(news[`text${kind[0].toUpperCase()}${kind.slice(1)}`], {
      body: news.textOpen,
      tag: `${NAME}-${id}`,
      icon: news.icon,
    });
    notification.onclick = () => {
      window.focus();
      notification.close();
      htmx.ajax("POST", news.open.replace("/0/", `/${id}/`), { swap: "none" });
    };
  }, SEEN_MS);
};
