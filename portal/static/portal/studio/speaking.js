// Asks for speech and fills a take with what arrives.

import { bytesOf, events } from "./events.js";
import { json } from "./json.js";

// What was refused or broke off; `code` is the API's, or `network`, `cut`, `nobody`.
export class Refusal extends Error {
  constructor(code, message, { param = null, retryAfter = null, status = 0 } = {}) {
    super(message);
    Object.assign(this, { code, param, retryAfter, status });
  }

  static async of(response) {
    const retryAfter = Number(response.headers.get("retry-after")) || null;
    const { error } = await response.json().catch(() => ({ error: {} }));
    const { code, message, param } = error ?? {};
    return new Refusal(codeOf(code, response.status), message ?? "", { param, retryAfter, status: response.status });
  }
}

// The API has no code for who is nobody.
export function codeOf(code, status) {
  return code ?? (status === 401 ? "nobody" : "unknown");
}

// Resolves when the take is complete. Aborting `signal` ends it, and frees the engine.
export async function speak(url, token, take, signal) {
  const shape = { response_format: "pcm", stream_format: "sse", sample_rate: take.rate };
  try {
    const response = await ask(url, token, { ...take.request, ...shape }, signal);
    take.seed = response.headers.get("x-seed");
    take.warning = response.headers.get("warning");
    await fill(take, response.body);
  } finally {
    take.end();
  }
}

async function ask(url, token, body, signal) {
  const headers = { "content-type": "application/json", "x-csrftoken": token };
  let response;
  try {
    response = await fetch(url, { method: "POST", headers, body: json(body), signal });
  } catch (error) {
    throw signal.aborted ? error : new Refusal("network", error.message);
  }
  if (!response.ok) throw await Refusal.of(response);
  return response;
}

async function fill(take, body) {
  try {
    for await (const event of events(body)) {
      if (event.type === "speech.audio.delta") take.append(bytesOf(event.audio));
      else if (event.type === "speech.mark") take.mark(event);
      else if (event.type === "error") throw new Refusal(event.error.code, event.error.message, { param: event.error.param });
      else if (event.type === "speech.audio.done") return void (take.id = event.take);
    }
  } catch (error) {
    if (error instanceof Refusal || error.name === "AbortError") throw error;
    throw new Refusal("cut", error.message);
  }
  throw new Refusal("cut", "");
}
