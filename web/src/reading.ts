/**
 * Room: web widget. Where the person is in the conversation: reading along, or reading back, and what they have had
 * on the screen. Follows what is new without pulling anybody away.
 */

/** Closer to the end than this (px) counts as "reading along". */
const AT_END = 80;
/** So much (px) of a message on the screen counts as shown. */
const SHOWN = 24;

export class Reading {
  /** True when new messages are below what the person is reading. */
  behind = false;
  atEnd = true;

  private following = true;
  /** So many entries were drawn, so many the person has seen the end of, and where we put the scroll ourselves. */
  private drawn = 0;
  private seen = 0;
  private placed = 0;

  /** `changed` is called when `behind` or `atEnd` became another. */
  constructor(private readonly changed: () => void) {}

  /** The panel opens, or another conversation is in it. */
  begin(): void {
    this.following = this.atEnd = true;
    this.behind = false;
    this.drawn = this.seen = this.placed = 0;
  }

  /** From here on the person reads along: what is here counts as seen. */
  toEnd(): void {
    this.following = true;
    this.seen = this.drawn;
    this.update(false, this.atEnd);
  }

  scrolled(log: HTMLElement): void {
    this.update(this.behind, this.isAtEnd(log));
    if (Math.abs(log.scrollTop - this.placed) < 2) return; // that was us
    this.following = this.atEnd;
    if (this.following) this.toEnd();
  }

  afterDrawing(log: HTMLElement): void {
    const shown = [...log.querySelectorAll<HTMLElement>(".entry")];
    const grew = shown.length > this.drawn;
    this.drawn = shown.length;
    if (this.following) this.follow(log, shown);
    else if (grew) this.update(true, this.atEnd);
  }

  /** Shows the end, but not past the start of what is new: a long answer is read from its top. Never goes back up. */
  private follow(log: HTMLElement, shown: readonly HTMLElement[]): void {
    const own = shown.findLastIndex((entry) => entry.classList.contains("user"));
    // When a coach comes in, what the program said before is not what is new.
    const coach = shown.findIndex((entry, at) => at > own && entry.classList.contains("coach"));
    const first = Math.min(Math.max(own + 1, coach - 1, this.seen), shown.length - 1);
    const start = shown[first]?.offsetTop ?? 0;
    const end = log.scrollHeight - log.clientHeight;
    log.scrollTop = Math.max(log.scrollTop, Math.min(end, start - 12));
    this.placed = log.scrollTop; // as the browser rounded it
    this.update(this.behind, this.isAtEnd(log));
  }

  private isAtEnd(log: HTMLElement): boolean {
    return log.scrollHeight - log.scrollTop - log.clientHeight < AT_END;
  }

  private update(behind: boolean, atEnd: boolean): void {
    if (behind === this.behind && atEnd === this.atEnd) return;
    this.behind = behind;
    this.atEnd = atEnd;
    this.changed();
  }
}

/** The number of the last message of a coach that is on the screen or above it; 0 when there is none. */
export function coachShown(log: HTMLElement): number {
  const bottom = log.scrollTop + log.clientHeight - SHOWN;
  const entries = [...log.querySelectorAll<HTMLElement>(".entry.coach")];
  return Number(entries.findLast((entry) => entry.offsetTop < bottom)?.dataset["seq"] ?? 0);
}
