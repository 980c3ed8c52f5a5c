/**
 * Room: web widget. The 0–10 question as a radio group. A tap, Enter or space sends at once; arrow keys and
 * digits only move, so nobody answers by accident while looking. Draws into the widget's own shadow root, so
 * that the question above can name the group.
 */

import { html, LitElement, nothing, type PropertyValues } from "lit";

import type { ScalePart } from "./messages.js";
import type { Choose } from "./parts.js";
import { texts } from "./texts.js";

export class AdemruimteScale extends LitElement {
  static override properties = {
    scale: { attribute: false },
    questionId: { attribute: false },
    choose: { attribute: false },
    current: { state: true },
  };

  declare scale: ScalePart;
  declare questionId: string | null;
  declare choose: Choose;
  /** The number that has the keyboard; null until the person moves. */
  declare private current: number | null;

  constructor() {
    super();
    this.questionId = null;
    this.current = null;
  }

  override createRenderRoot(): this {
    return this;
  }

  override render(): unknown {
    const { min, max, min_label: minLabel, max_label: maxLabel, skip_payload: skipPayload } = this.scale;
    const values = Array.from({ length: max - min + 1 }, (_, index) => min + index);
    const reachable = this.current ?? min;
    return html`<div class="scale">
      <div class="scale-ends" aria-hidden="true">
        <span>${texts.scaleEnd(min, minLabel)}</span><span>${texts.scaleEnd(max, maxLabel)}</span>
      </div>
      <div
        class="scale-values"
        role="radiogroup"
        aria-labelledby=${this.questionId ?? nothing}
        aria-label=${this.questionId ? nothing : texts.scaleFallbackName}
        aria-describedby="scale-hint"
        @keydown=${this.onKey}
      >
        ${values.map(
          (value) =>
            html`<button
              type="button"
              role="radio"
              class="scale-value"
              data-value=${value}
              aria-checked=${value === this.current ? "true" : "false"}
              aria-label=${this.nameOf(value)}
              tabindex=${value === reachable ? 0 : -1}
              @click=${() => this.send(value)}
            >
              ${value}
            </button>`,
        )}
      </div>
      <div class="scale-foot">
        <p class="quiet" id="scale-hint">
          ${texts.scaleHint}<span class="keys">${texts.scaleKeys}</span>
        </p>
        ${skipPayload
          ? html`<button type="button" class="choice" @click=${() => this.choose(texts.skip, skipPayload)}>
              ${texts.skip}
            </button>`
          : nothing}
      </div>
    </div>`;
  }

  private nameOf(value: number): string {
    if (value === this.scale.min) return `${value}, ${this.scale.min_label}`;
    return value === this.scale.max ? `${value}, ${this.scale.max_label}` : String(value);
  }

  private send(value: number): void {
    this.choose(String(value), this.scale.payload.replaceAll("$value", String(value)));
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { min, max } = this.scale;
    const from = this.current ?? min;
    const step: Record<string, number> = {
      ArrowRight: from + 1,
      ArrowDown: from + 1,
      ArrowLeft: from - 1,
      ArrowUp: from - 1,
      Home: min,
      End: max,
    };
    let next = step[event.key];
    if (next === undefined && /^[0-9]$/.test(event.key)) next = Number(event.key);
    if (next === undefined) return;
    event.preventDefault();
    if (next > max) next = event.key.startsWith("Arrow") ? min : max;
    if (next < min) next = event.key.startsWith("Arrow") ? max : min;
    this.current = next;
  }

  override updated(changed: PropertyValues): void {
    if (!changed.has("current") || this.current === null) return;
    this.querySelector<HTMLElement>(`[data-value="${this.current}"]`)?.focus();
  }
}

if (!customElements.get("ademruimte-scale")) customElements.define("ademruimte-scale", AdemruimteScale);
