/** Room: web widget. One request to the chat API (docs/api.md), and what the world outside is made of. */

import { waitInWords } from "./code.js";
import { texts } from "./texts.js";

/** Milliseconds. */
const GIVE_UP_AFTER = 15_000;

/** The world outside, so that tests can stand in for it. */
export interface World {
  fetch: (url: string, init: RequestInit) => Promise<Response>;
  openSocket: (url: string, protocols: string[]) => WebSocket;
  now: () => number;
  random: () => number;
}

export const browser: World = {
  fetch: (url, init) => fetch(url, init),
  openSocket: (url, protocols) => new WebSocket(url, protocols),
  now: () => Date.now(),
  random: () => Math.random(),
};

/** The server answered, but not with what was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

/** What went wrong, in words for people; after too many tries, also how long to wait. */
export function problemInWords(error: unknown): string {
  if (!(error instanceof Refused)) return texts.noAnswer;
  return error.status === 429 ? texts.tooFast(waitInWords(error.retryAfterMs)) : error.message;
}

/** The answer's JSON; throws `Refused` on an error status, anything else when there is no network. */
export async function call(
  world: World,
  server: string,
  token: string | null,
  method: "GET" | "POST",
  path: string,
  body?: unknown,
): Promise<unknown> {
  const response = await world.fetch(new URL(`/api/chat/${path}`, server).href, {
    method,
    cache: "no-store",
    credentials: "omit",
    headers: {
      ...(token ? { Authorization: `Bearer ${token}` } : {}),
      ...(body ? { "Content-Type": "application/json" } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(GIVE_UP_AFTER),
  });
  const answer: unknown = await response.json().catch(() => null);
  if (response.ok && answer !== null) return answer;
  const words = (answer as { message?: unknown } | null)?.message;
  const seconds = Number(response.headers.get("Retry-After")) || 0;
  const status = response.ok ? 502 : response.status; // a page from something in between is no answer
  throw new Refused(status, typeof words === "string" ? words : texts.unknownError, seconds * 1000);
}
