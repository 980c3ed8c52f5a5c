/** Room: web widget. One message in the list: who says it, its parts, and what became of it. */

import { html, nothing, type TemplateResult } from "lit";

import type { Owner, Role } from "./messages.js";
import { renderPart, type Choose } from "./parts.js";
import { texts } from "./texts.js";
import { isFresh, isWayBack, type Entry } from "./timeline.js";

/** What all entries have to know to be drawn. */
export interface Drawing {
  /** Key of the entry whose choices can be used. */
  active: string | null;
  /** Key of the newest entry with a place for a return code; older places are not drawn. */
  lastCode: string | undefined;
  /** Up to when (milliseconds since 1970) codes were shown. */
  codeShown: number;
  /** A coach wrote in this conversation: then the assistant's name stands above its words too. */
  mixed: boolean;
  withCoach: boolean;
  offline: boolean;
  now: number;
  choose: Choose;
  /** Makes a return code for an entry of that moment. */
  newCode: (at: number) => Promise<string>;
}

function coachName(said: { author?: string }): string {
  return said.author ?? texts.coachAuthor;
}

/** Who says it, for people who listen. */
export function whoSays(said: { role: Role; author?: string }): string {
  if (said.role === "coach") return texts.says(coachName(said));
  return { bot: texts.botSays, user: texts.youSay, system: texts.notice }[said.role] ?? texts.notice;
}

function renderCode(entry: Entry, drawing: Drawing): unknown {
  if (entry.key !== drawing.lastCode) return nothing;
  const at = Date.parse(entry.at ?? "");
  return html`<ademruimte-code
    .shown=${at <= drawing.codeShown}
    .ask=${() => drawing.newCode(at)}
  ></ademruimte-code>`;
}

export function renderEntry(entry: Entry, before: Entry | undefined, drawing: Drawing): TemplateResult {
  const coach = entry.role === "coach";
  const again = before?.role === entry.role && before.author === entry.author;
  const author = coach ? coachName(entry) : drawing.mixed && entry.role === "bot" ? texts.botAuthor : null;
  const question = entry.parts.findLast((part) => part.type === "text");
  return html`<li
    class="entry ${entry.role} ${again ? "again" : ""}"
    data-key=${entry.key}
    data-seq=${entry.seq ?? nothing}
    tabindex="-1"
  >
    <span class="hidden">${whoSays(entry)}</span>
    ${author && !again ? html`<p class="author" aria-hidden="true">${author}</p>` : nothing}
    ${entry.parts.map((part) => {
      if (part.type === "return_code") return renderCode(entry, drawing);
      if (drawing.withCoach && isWayBack(part)) return nothing; // that button stands above the text box already
      const names = part === question || part.type === "scale" || part.type === "multi_select";
      const questionId = names && question ? `text-${entry.key}` : null;
      const active = entry.key === drawing.active;
      return renderPart(part, active, isFresh(entry, drawing.now), questionId, drawing.choose);
    })}
    ${entry.state === "refused" ? html`<p class="fate">${texts.refused} ${entry.reason}</p>` : nothing}
    ${entry.state === "waiting" && drawing.offline ? html`<p class="fate">${texts.waiting}</p>` : nothing}
  </li>`;
}

export function renderTyping(owner: Owner): TemplateResult {
  const coach = owner.who === "coach";
  const name = !coach ? texts.name : owner.name ? texts.coach(owner.name) : texts.coachAuthor;
  return html`<div class="typing ${coach ? "coach" : ""}">
    <i></i><i></i><i></i><span>${texts.writes(name)}</span>
  </div>`;
}
