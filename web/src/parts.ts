/**
 * Room: web widget. Draws the typed parts of one message (all but the scale and the chart, which have their
 * own files) and says them in words for the live region.
 */

import { html, nothing, type TemplateResult } from "lit";

import { renderChart } from "./chart.js";
import type { Choice, HelpLine, Part } from "./messages.js";
import { phoneMark } from "./marks.js";
import { texts } from "./texts.js";

import "./scale.js";

/** Called when the person picks something: what it says, what it means. */
export type Choose = (title: string, payload: string) => void;

/** Only a number that can be dialled becomes a link: `tel:` and digits, perhaps a plus. */
const DIALABLE = /^tel:\+?[0-9]{2,15}$/;

export function renderHelpLine(line: HelpLine): TemplateResult {
  const website = line.url?.startsWith("https://") ? line.url : null;
  return html`<li class="line ${line.urgent ? "urgent" : ""}">
    <h4>${line.name}</h4>
    <div class="line-words">
      <p>${line.what}</p>
      ${line.hours ? html`<p class="quiet">${line.hours}</p>` : nothing}
      ${website
        ? html`<p><a href=${website} target="_blank" rel="noopener noreferrer">${texts.website}</a></p>`
        : nothing}
    </div>
    ${DIALABLE.test(line.tel)
      ? html`<a class="call" href=${line.tel}>${phoneMark()}<span>${texts.call(line.number)}</span></a>`
      : html`<span class="call">${line.number}</span>`}
  </li>`;
}

export function renderHelpLines(lines: readonly HelpLine[]): TemplateResult {
  return html`<ul class="lines" role="list">
    ${lines.map(renderHelpLine)}
  </ul>`;
}

function renderChoices(choices: readonly Choice[], choose: Choose): TemplateResult {
  return html`<div class="choices" role="group" aria-label=${texts.choices}>
    ${choices.map(
      (choice) =>
        html`<button type="button" class="choice" @click=${() => choose(choice.title, choice.payload)}>
          ${choice.title}
        </button>`,
    )}
  </div>`;
}

/**
 * One part. `active` says whether its choices can still be used; old ones are not drawn at all.
 * `questionId` is the id of the text above it, which names a scale.
 */
export function renderPart(part: Part, active: boolean, questionId: string | null, choose: Choose): unknown {
  switch (part.type) {
    case "text":
      return html`<p class="bubble" id=${questionId ?? nothing}>${part.text}</p>`;
    case "quick_replies":
      return active ? renderChoices(part.choices, choose) : nothing;
    case "scale":
      return active
        ? html`<ademruimte-scale .scale=${part} .questionId=${questionId} .choose=${choose}></ademruimte-scale>`
        : nothing;
    case "chart":
      return renderChart(part);
    case "help_lines":
      return html`<section class="card" aria-label=${part.title}>
        <h3>${part.title}</h3>
        ${renderHelpLines(part.lines)}
      </section>`;
    default:
      return nothing; // a newer server may send parts this widget does not know
  }
}

/** A part in words, for people who listen. */
export function spoken(part: Part): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "quick_replies":
      return texts.choicesSpoken(part.choices.map((choice) => choice.title).join(", "));
    case "scale":
      return texts.scaleSpoken(part.min, part.max);
    case "chart":
      return `${part.title}. ${part.caption}`;
    case "help_lines":
      return [part.title, ...part.lines.map((line) => `${line.name}: ${line.number}`)].join(". ");
    default:
      return "";
  }
}
