/** Room: web widget. The top of the panel: who answers now, and the ways out that are always there. */

import { html, nothing, type TemplateResult } from "lit";

import { breathMark, downMark, exitMark, keyMark, personMark, phoneMark } from "./marks.js";
import type { Owner } from "./messages.js";
import { texts } from "./texts.js";

/** What the panel shows: the conversation, the help lines, or the field for a return code. */
export type View = "talk" | "help" | "code";

export interface HeaderActions {
  minimise: () => void;
  help: () => void;
  exit: () => void;
  code: () => void;
}

/** One line that says what is on the other side. */
export function whoAnswers(owner: Owner): string {
  if (owner.who === "coach") return texts.coachIs(texts.coach(owner.name));
  return owner.who === "queue" ? texts.coachAsked : texts.isProgram;
}

/** `written`: the way in with a code is a line of its own, in words; else it is a small key. */
export function renderHeader(owner: Owner, view: View, written: boolean, on: HeaderActions): TemplateResult {
  const coach = owner.who === "coach";
  const talking = view === "talk";
  const code = html`<button type="button" class="plain with-code" title=${texts.entryOpen} @click=${on.code}>
    ${keyMark()}<span class=${written ? "" : "hidden"}>${texts.entryOpen}</span>
  </button>`;
  return html`<header>
      <div class="who ${owner.who}">
        ${coach ? personMark() : breathMark()}
        <div>
          <h2 id="title" tabindex="-1">${texts.name}</h2>
          <p>${whoAnswers(owner)}</p>
        </div>
        ${talking && !written ? code : nothing}
        <button type="button" class="plain minimise" aria-label=${texts.minimise} @click=${on.minimise}>
          ${downMark()}
        </button>
      </div>
      <div class="exits">
        <button type="button" class="help-button" aria-expanded=${view === "help" ? "true" : "false"} @click=${on.help}>
          ${phoneMark()}<span>${texts.help}</span>
        </button>
        <button type="button" class="exit" title=${texts.exitWhat} @click=${on.exit}>
          ${exitMark()}<span>${texts.exit}</span>
        </button>
      </div>
    </header>
    ${talking && written ? html`<div class="door">${code}</div>` : nothing}`;
}
