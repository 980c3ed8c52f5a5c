/** Room: web widget. How long things may take, and timers by name. */

/** Milliseconds. */
export const WAITS = {
  socketOpening: 5_000,
  confirmation: 15_000,
  firstRetry: 400,
  longestRetry: 15_000,
  poll: 2_000,
  gap: 800,
  tooFast: 4_000,
  typing: 40_000,
  /** After the replay the server says who answers, unless that is the assistant: silence for so long means that. */
  owner: 300,
  /** Not more often than this a coach hears that the person types, and how far they have read. */
  tellTyping: 3_000,
  tellSeen: 1_000,
};

/** Full jitter between half and the whole of an exponential wait, so that clients do not return all at once. */
export function backOff(attempt: number, random: number): number {
  const whole = Math.min(WAITS.longestRetry, WAITS.firstRetry * 2 ** attempt);
  return Math.round(whole / 2 + (whole / 2) * random);
}

/** One timer per name; setting it again starts it anew. */
export class Timers {
  private readonly running = new Map<string, ReturnType<typeof setTimeout>>();

  has(name: string): boolean {
    return this.running.has(name);
  }

  after(name: string, ms: number, then: () => unknown): void {
    this.clear(name);
    const run = () => {
      this.running.delete(name);
      then();
    };
    this.running.set(name, setTimeout(run, ms));
  }

  clear(name: string): void {
    clearTimeout(this.running.get(name));
    this.running.delete(name);
  }

  clearAll(): void {
    for (const name of [...this.running.keys()]) this.clear(name);
  }
}
