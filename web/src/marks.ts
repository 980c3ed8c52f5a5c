/** Room: web widget. The few drawings: the mark of the product and the icons; all decoration, hidden for readers. */

import { html, type TemplateResult } from "lit";

/** Two rings with air between them. */
export function breathMark(): TemplateResult {
  return html`<svg class="mark" viewBox="0 0 40 40" aria-hidden="true" focusable="false">
    <circle class="mark-outer" cx="20" cy="20" r="18" />
    <circle class="mark-middle" cx="20" cy="20" r="12" />
    <circle class="mark-inner" cx="20" cy="20" r="6" />
  </svg>`;
}

function icon(path: string): TemplateResult {
  return html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${path} /></svg>`;
}

export const phoneMark = (): TemplateResult =>
  icon(
    "M6.6 3.5 9 3l2 4.5-2 1.7a12 12 0 0 0 5.8 5.8l1.7-2L21 15l-.5 2.4a3 3 0 0 1-3 2.4A14 14 0 0 1 4.2 6.5a3 3 0 0 1 2.4-3Z",
  );
export const personMark = (): TemplateResult =>
  html`<svg class="mark person" viewBox="0 0 40 40" aria-hidden="true" focusable="false">
    <circle class="person-ground" cx="20" cy="20" r="18" />
    <circle cx="20" cy="16" r="5.5" />
    <path d="M9.5 31a10.5 9 0 0 1 21 0 18 18 0 0 1-21 0Z" />
  </svg>`;
export const keyMark = (): TemplateResult =>
  icon("M14.5 14a5.5 5.5 0 1 0-5-3.2L3 17.3V21h4v-2.5h2.5V16l1.7-1.7c.9.5 2 .8 3.300-.3ZM16 8h.01");
export const sendMark = (): TemplateResult => icon("M12 19V5m-6.5 6.5L12 5l6.5 6.5");
export const downMark = (): TemplateResult => icon("m6 9.5 6 6 6-6");
export const backMark = (): TemplateResult => icon("M14.5 6l-6 6 6 6");
export const exitMark = (): TemplateResult => icon("M7 7l10 10M17 7L7 17");
