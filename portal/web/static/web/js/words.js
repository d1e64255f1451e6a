// How scripts fill in their sentences, say times, and find the parts of a page.

/** "quedan {n}" with {n: 3} -> "quedan 3". */
export const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** Seconds -> "12:43", "1:02:43". */
export const clock = (seconds) => {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
};

/** The parts of `root` with `data-<attribute>`, by its value; the first where there are several. */
export const partsOf = (root, attribute) => {
  const parts = {};
  for (const part of root.querySelectorAll(`[data-${attribute}]`)) {
    parts[part.getAttribute(`data-${attribute}`)] ??= part;
  }
  return parts;
};

/** Changes the text only when it is another: a live region speaks at every change. */
export const say = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

export const csrf = () => document.cookie.match(/(?:^|; )csrftoken=([^;]*)/)?.[1] ?? "";

/** What a json_script of the template carries. */
export const data = (id) => JSON.parse(document.getElementById(id).textContent);
