/** A stand-in for the server and its WebSockets, with time in the test's hands. */
import { mock } from "node:test";

import { Connection } from "../node_modules/.ademruimte-test/connection.js";
import { Keeper } from "../node_modules/.ademruimte-test/keeper.js";

export function drawer() {
  const values = new Map();
  return {
    values,
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => values.set(key, value),
    removeItem: (key) => values.delete(key),
  };
}

export class Line {
  constructor(url) {
    this.url = url;
    this.readyState = 0;
    this.sent = [];
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  hears(event) {
    this.onmessage({ data: JSON.stringify(event) });
  }
  send(data) {
    this.sent.push(JSON.parse(data));
  }
  close() {
    if (this.readyState === 3) return;
    this.readyState = 3;
    queueMicrotask(() => this.onclose());
  }
}

/** Lets everything that waits on promises happen. */
export const settle = async () => {
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
};

export function setUp({ token = null, answer } = {}) {
  const [tab, device] = [drawer(), drawer()];
  if (token) tab.setItem("ademruimte.token", token);
  const keeper = new Keeper(() => tab, () => device);
  const lines = [];
  const requests = [];
  const news = [];
  const clock = { now: Date.parse("2026-11-23T04:00:00Z") };
  const world = {
    fetch: async (url, init) => {
      const request = { path: new URL(url).pathname.replace("/api/chat/", ""), method: init.method, url };
      request.body = init.body ? JSON.parse(init.body) : null;
      request.token = init.headers.Authorization ?? null;
      request.init = init;
      requests.push(request);
      const [status, body] = (await answer?.(request)) ?? [200, { token: "t1", messages: [], remember: false }];
      const { retryAfter, ...sent } = body;
      const headers = new Headers(retryAfter ? { "Retry-After": String(retryAfter) } : {});
      return { ok: status < 400, status, json: async () => sent, headers };
    },
    openSocket: (url) => {
      const line = new Line(url);
      lines.push(line);
      return line;
    },
    now: () => clock.now,
    random: Math.random,
  };
  const connection = new Connection("http://here", keeper, (messages) => news.push(...messages), world);
  return { connection, keeper, tab, device, lines, requests, news, clock, world };
}

export const bot = (seq, words) => ({
  type: "message",
  seq,
  role: "bot",
  at: "2026-11-23T04:00:00Z",
  parts: [{ type: "text", text: words }],
});

export const coach = (seq, words, author = "Ilse, coach") => ({ ...bot(seq, words), role: "coach", author });

export const useFakeTime = () => mock.timers.enable({ apis: ["setTimeout"] });
