// Requests of scripts that send fields and get JSON.
import { csrf } from "./words.js";

export class RequestError extends Error {
  /**
   * `code` as the server says it, else "offline" or "failed"; `passing`: trying again may help;
   * `answer`: all that the server said.
   */
  constructor(code, message, passing, answer = {}) {
    super(message);
    this.code = code;
    this.passing = passing;
    this.answer = answer;
  }
}

/**
 * The JSON answer, or undefined where there is none (204); raises RequestError with the server's
 * sentence, or with none. Without `fields` nothing is sent and nothing changed.
 */
const request = async (address, fields) => {
  const sent = fields && {
    method: "POST",
    headers: { Accept: "application/json", "X-CSRFToken": csrf() },
    body: new URLSearchParams(fields),
  };
  let response;
  try {
    response = await fetch(address, sent ?? { headers: { Accept: "application/json" } });
  } catch {
    throw new RequestError("offline", "", true);
  }
  if (response.status === 204) return undefined;
  const text = await response.text().catch(() => "");
  let answer = {};
  try {
    answer = JSON.parse(text);
  } catch {
    // A proxy's page, or a sentence.
  }
  if (response.ok) return answer;
  if (response.status === 401) throw new RequestError("unauthenticated", text, true);
  const passing = response.status >= 500 || response.status === 429;
  throw new RequestError(answer.code ?? "failed", answer.message ?? "", passing, answer);
};

export const post = (address, fields = {}) => request(address, fields);
export const read = (address) => request(address);
