/**
 * Room: web widget. "Ik heb nu hulp nodig": the help lines, baked in at build, so that they are there when
 * nothing else is.
 */

import { html, type TemplateResult } from "lit";
import regions from "virtual:help-lines";

import { backMark } from "./marks.js";
import { renderHelpLines } from "./parts.js";
import { texts } from "./texts.js";

/** The region that was asked for, when there is such a one. */
export function knownRegion(asked: string | null): string | null {
  return regions.find((region) => region.id === asked)?.id ?? null;
}

/** The region that was said, else, before the server told, guessed from the browser's language. */
export function startRegion(asked: string | null, language: string): string {
  const found = knownRegion(asked);
  if (found) return found;
  return language.toLowerCase() === "nl-nl" ? "nederland" : "vlaanderen";
}

export function renderHelpPanel(chosen: string, choose: (region: string) => void, close: () => void): TemplateResult {
  const current = regions.find((region) => region.id === chosen) ?? regions[0];
  return html`<section class="help" aria-labelledby="help-title">
    <button type="button" class="plain back" @click=${close}>${backMark()}<span>${texts.helpBack}</span></button>
    <h3 id="help-title" tabindex="-1">${texts.helpTitle}</h3>
    <p class="danger">${texts.helpDanger}</p>
    <p>${texts.helpIntro}</p>
    <div class="regions" role="group" aria-label=${texts.helpRegion}>
      ${regions.map(
        (region) =>
          html`<button
            type="button"
            aria-pressed=${region.id === current?.id ? "true" : "false"}
            @click=${() => choose(region.id)}
          >
            ${region.region}
          </button>`,
      )}
    </div>
    ${renderHelpLines(current?.lines ?? [], false)}
  </section>`;
}
