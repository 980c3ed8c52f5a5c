/**
 * Room: web widget. Draws the typed parts of one message (all but the scale, the ticks and the chart,
 * which have their own files) and says them in words for the live region.
 */

import { html, nothing, type TemplateResult } from "lit";

import { renderChart } from "./chart.js";
import type { Choice, HelpLine, Part } from "./messages.js";
import { phoneMark } from "./marks.js";
import { texts } from "./texts.js";

import "./scale.js";
import "./select.js";

/** Called when the person picks something: what it says, what it means. */
export type Choose = (title: string, payload: string) => void;

/** Only a number that can be dialled becomes a link: `tel:` and digits, perhaps a plus. */
const DIALABLE = /^tel:\+?[0-9]{2,15}$/;

/** `fresh`: what the line says of being open still holds. Else only its hours are shown. */
export function renderHelpLine(line: HelpLine, fresh: boolean): TemplateResult {
  const opens = fresh ? line.opens : null;
  const website = line.url?.startsWith("https://") ? line.url : null;
  const number = line.number || null;
  return html`<li class="line ${line.urgent ? "urgent" : ""}">
    <h4>${line.name}</h4>
    <div class="line-words">
      <p>${line.what}</p>
      ${opens ? html`<p class="opens ${line.open_now ? "now" : ""}">${opens}</p>` : nothing}
      ${number && (line.hours || !opens)
        ? html`<p class="quiet">${line.hours || texts.hoursUnknown}</p>`
        : nothing}
      ${website && number
        ? html`<p><a href=${website} target="_blank" rel="noopener noreferrer">${texts.website}</a></p>`
        : nothing}
    </div>
    ${wayThere(line.name, number, line.tel ?? "", website)}
  </li>`;
}

/** What is tapped: the number, or the website of a line of which no number is known. */
function wayThere(name: string, number: string | null, tel: string, website: string | null): unknown {
  if (number && DIALABLE.test(tel)) {
    return html`<a class="call" href=${tel}>${phoneMark()}<span>${texts.call(number)}</span></a>`;
  }
  if (number) {
    return html`<span class="call">${number}</span>`;
  }
  const named = texts.toWebsiteNamed(name);
  return website
    ? html`<a class="call" href=${website} target="_blank" rel="noopener noreferrer" aria-label=${named}>
        ${texts.toWebsite}
      </a>`
    : nothing;
}

export function renderHelpLines(lines: readonly HelpLine[], fresh: boolean): TemplateResult {
  return html`<ul class="lines" role="list">
    ${lines.map((line) => renderHelpLine(line, fresh))}
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
 * One part. `active` says whether its choices can still be used; old ones are not drawn at all. `fresh` says
 * whether what it says of this moment (who is open now) still holds.
 * `questionId` is the id of the text above it, which names a scale.
 */
export function renderPart(
  part: Part,
  active: boolean,
  fresh: boolean,
  questionId: string | null,
  choose: Choose,
): unknown {
  switch (part.type) {
    case "text":
      return html`<p class="bubble" id=${questionId ?? nothing}>${part.text}</p>`;
    case "quick_replies":
      return active ? renderChoices(part.choices, choose) : nothing;
    case "scale":
      return active
        ? html`<ademruimte-scale .scale=${part} .questionId=${questionId} .choose=${choose}></ademruimte-scale>`
        : nothing;
    case "multi_select":
      return active
        ? html`<ademruimte-select .select=${part} .questionId=${questionId} .choose=${choose}></ademruimte-select>`
        : nothing;
    case "chart":
      return renderChart(part);
    case "help_lines":
      return html`<section class="card" role="group" aria-label=${part.title}>
        <h3>${part.title}</h3>
        ${renderHelpLines(part.lines, fresh)}
      </section>`;
    default:
      return nothing; // a return code has its own card; a newer server may send parts this widget does not know
  }
}

function spokenLine(line: HelpLine): string {
  return [`${line.name}: ${line.number || line.url}`, line.opens].filter(Boolean).join(", ");
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
    case "multi_select":
      return texts.selectSpoken(part.options.map((option) => option.title).join(", "));
    case "chart":
      return `${part.title}. ${part.caption}`;
    case "help_lines":
      return [part.title, ...part.lines.map(spokenLine)].join(". ");
    case "return_code":
      return texts.codeSpoken;
    default:
      return "";
  }
}
