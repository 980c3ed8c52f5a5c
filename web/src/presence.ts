/**
 * Room: web widget. What a coach may know of the person: that they type, and how far they have read. Only while a
 * WebSocket is open; nothing of it is kept. No DOM.
 */

import type { Owner } from "./messages.js";
import { Timers, WAITS } from "./waits.js";

/** Sends a frame when the line is open; false when it is not. */
export type Tell = (event: Record<string, unknown>) => boolean;

export class Presence {
  /** Who answers, as the server last said; null when only the messages tell. */
  told: Owner | null = null;

  private typedAt = 0;
  private read = 0;
  private readSent = 0;
  private readonly timers = new Timers();

  constructor(
    private readonly now: () => number,
    private readonly tell: Tell,
  ) {}

  /** The person types: a coach sees that, the assistant does not care. */
  types(): void {
    if (this.told?.who !== "coach" || this.now() - this.typedAt < WAITS.tellTyping) return;
    if (this.tell({ type: "typing" })) this.typedAt = this.now();
  }

  /** The person has had everything up to this number of a coach on the screen. */
  sees(seq: number): void {
    this.read = Math.max(this.read, seq);
    if (this.read <= this.readSent || this.timers.has("seen")) return;
    if (!this.tell({ type: "seen", seq: this.read })) return;
    this.readSent = this.read;
    this.timers.after("seen", WAITS.tellSeen, () => this.sees(this.read));
  }

  /** A new line is open: what the one before swallowed is told again. */
  reconnected(): void {
    this.readSent = 0;
    this.sees(this.read);
  }

  /** Another conversation, or none. */
  forget(): void {
    this.timers.clearAll();
    this.told = null;
    this.read = this.readSent = 0;
  }
}
