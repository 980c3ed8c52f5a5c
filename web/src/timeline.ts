/**
 * Room: web widget. The conversation as this browser knows it: what the server confirmed, in order, and what
 * still waits to be sent. Pure functions; no network, no DOM, no clock.
 */

import { BACK_TO_ASSISTANT, type Message, type Outgoing, type Owner, type Part, type Role } from "./messages.js";

/** Client ids of the first, invisible "hello" start with this, so that it is never drawn as something said. */
export const GREETING_PREFIX = "greet-";

const FRESH = 15 * 60 * 1000;

export interface Timeline {
  /** Confirmed messages, ordered by seq, each seq once. */
  readonly messages: readonly Message[];
  /** Everything up to and including this seq is here; a replay starts after it. */
  readonly cursor: number;
  readonly unsent: readonly Outgoing[];
}

export interface Entry {
  /** Stays the same from "waiting" to "confirmed", so that focus and scroll stay where they are. */
  readonly key: string;
  readonly role: Role;
  readonly parts: readonly Part[];
  /** Place in the conversation; absent for what waits. */
  readonly seq?: number;
  /** Name and role of the coach who wrote it. */
  readonly author?: string;
  /** When the server said it; absent for what waits. */
  readonly at?: string;
  readonly state: "confirmed" | "waiting" | "refused";
  readonly reason?: string;
}

export const emptyTimeline: Timeline = { messages: [], cursor: 0, unsent: [] };

/** Moves the cursor over every message that follows it without a gap. */
function absorb(messages: readonly Message[], cursor: number): number {
  let reached = cursor;
  for (const message of messages) if (message.seq === reached + 1) reached = message.seq;
  return reached;
}

/** Adds one message; a seq or client id that is already here changes nothing and returns the same timeline. */
export function receive(timeline: Timeline, message: Message): Timeline {
  const unsent = message.id ? timeline.unsent.filter((out) => out.id !== message.id) : timeline.unsent;
  const known = timeline.messages.some(
    (other) => other.seq === message.seq || (message.role === "user" && message.id && other.id === message.id),
  );
  if (known) return unsent.length === timeline.unsent.length ? timeline : { ...timeline, unsent };
  const messages = [...timeline.messages, message].sort((a, b) => a.seq - b.seq);
  return { messages, unsent, cursor: absorb(messages, timeline.cursor) };
}

/** The server said that everything was replayed: gaps that remain are messages that no longer exist. */
export function caughtUp(timeline: Timeline): Timeline {
  const last = timeline.messages.at(-1)?.seq ?? 0;
  return last > timeline.cursor ? { ...timeline, cursor: last } : timeline;
}

/** True when a message is missing between what we have; a replay after the cursor brings it. */
export function hasGap(timeline: Timeline): boolean {
  return (timeline.messages.at(-1)?.seq ?? 0) > timeline.cursor;
}

export function enqueue(timeline: Timeline, out: Outgoing): Timeline {
  return { ...timeline, unsent: [...timeline.unsent, out] };
}

/** The server took in what was sent under this id and gave it a place. */
export function acknowledge(timeline: Timeline, id: string, seq: number, at: string): Timeline {
  const out = timeline.unsent.find((candidate) => candidate.id === id);
  if (!out) return timeline;
  return receive(timeline, { seq, id, at, role: "user", parts: [{ type: "text", text: out.text }] });
}

/** The server will not take this message; it stays visible with the reason and is not sent again. */
export function refuse(timeline: Timeline, id: string, reason: string): Timeline {
  const unsent = timeline.unsent.map((out) => (out.id === id ? { ...out, refused: reason } : out));
  return { ...timeline, unsent };
}

export function withoutUnsent(timeline: Timeline, id: string): Timeline {
  return { ...timeline, unsent: timeline.unsent.filter((out) => out.id !== id) };
}

/** The message as the chat API takes it. */
export function asSent(out: Outgoing): Record<string, string> {
  if (out.payload === undefined) return { id: out.id, text: out.text };
  if (out.id.startsWith(GREETING_PREFIX)) return { id: out.id, payload: out.payload };
  return { id: out.id, payload: out.payload, title: out.text.slice(0, 200) };
}

/** What to draw, in order: confirmed messages, then what waits. */
export function entries(timeline: Timeline): Entry[] {
  const confirmed = timeline.messages.map(
    (message): Entry => ({
      key: message.role === "user" && message.id ? message.id : `seq-${message.seq}`,
      role: message.role,
      parts: message.parts,
      seq: message.seq,
      ...(message.author ? { author: message.author } : {}),
      at: message.at,
      state: "confirmed",
    }),
  );
  const waiting = timeline.unsent.map(
    (out): Entry => ({
      key: out.id,
      role: "user",
      parts: [{ type: "text", text: out.text }],
      state: out.refused ? "refused" : "waiting",
      ...(out.refused ? { reason: out.refused } : {}),
    }),
  );
  return [...confirmed, ...waiting].filter((entry) => !entry.key.startsWith(GREETING_PREFIX));
}

/** What a message says of "now" holds for a quarter of an hour. */
export function isFresh(entry: Entry, now: number): boolean {
  return entry.at !== undefined && Math.abs(now - Date.parse(entry.at)) < FRESH;
}

const ASKS = new Set(["quick_replies", "scale", "multi_select"]);

/** The key of the one entry whose choices can still be used: the newest with choices, if nobody spoke since. */
export function activeKey(list: readonly Entry[]): string | null {
  for (const entry of [...list].reverse()) {
    if (entry.role === "user" && entry.state !== "refused") return null;
    if (entry.role === "coach") return null; // what the assistant asked before stands open no more
    if (entry.parts.some((part) => ASKS.has(part.type))) return entry.key;
  }
  return null;
}

export const BOT: Owner = { who: "bot", name: null };

/** True for choices that hold nothing but the way back to the assistant. */
export function isWayBack(part: Part): boolean {
  return part.type === "quick_replies" && part.choices.every((choice) => choice.payload === BACK_TO_ASSISTANT);
}

/**
 * Who answers, as far as the messages tell: whoever of the other side spoke last. A notice with help lines or with the
 * way back to the assistant comes in the middle of a talk with a coach and does not end it.
 */
export function ownerFrom(timeline: Timeline): Owner {
  const last = timeline.messages.findLast(({ role, parts }) => {
    if (role === "system") return !parts.some((part) => part.type === "help_lines" || isWayBack(part));
    return role !== "user";
  });
  return last?.role === "coach" ? { who: "coach", name: last.author ?? null } : BOT;
}
