/**
 * Room: web widget. A question with several answers as a group of checkboxes and one button that sends. An option that
 * is alone ("none of these") unticks the others. Draws into the widget's own shadow root, like the scale.
 */

import { html, LitElement, nothing } from "lit";

import type { MultiSelectPart, Option } from "./messages.js";
import type { Choose } from "./parts.js";
import { texts } from "./texts.js";

export class AdemruimteSelect extends LitElement {
  static override properties = {
    select: { attribute: false },
    questionId: { attribute: false },
    choose: { attribute: false },
    ticked: { state: true },
  };

  declare select: MultiSelectPart;
  declare questionId: string | null;
  declare choose: Choose;
  declare private ticked: ReadonlySet<string>;

  constructor() {
    super();
    this.questionId = null;
    this.ticked = new Set();
  }

  override createRenderRoot(): this {
    return this;
  }

  override render(): unknown {
    const { options, skip_payload: skipPayload } = this.select;
    return html`<div
      class="select"
      role="group"
      aria-labelledby=${this.questionId ?? nothing}
      aria-label=${this.questionId ? nothing : texts.selectFallbackName}
    >
      ${options.map(
        (option) =>
          html`<label class="tick">
            <input
              type="checkbox"
              .checked=${this.ticked.has(option.code)}
              @change=${() => this.toggle(option)}
            /><span>${option.title}</span>
          </label>`,
      )}
      <div class="choices">
        <button type="button" class="choice done" ?disabled=${this.ticked.size === 0} @click=${this.send}>
          ${texts.selectDone}
        </button>
        <button type="button" class="choice" @click=${() => this.choose(texts.skip, skipPayload)}>
          ${texts.skip}
        </button>
      </div>
    </div>`;
  }

  private toggle(option: Option): void {
    const next = new Set(this.ticked);
    if (next.delete(option.code)) {
      this.ticked = next;
      return;
    }
    for (const other of this.select.options) {
      if (option.alone || other.alone) next.delete(other.code);
    }
    this.ticked = next.add(option.code);
  }

  private send(): void {
    const chosen = this.select.options.filter((option) => this.ticked.has(option.code));
    const codes = JSON.stringify(chosen.map((option) => option.code));
    this.choose(chosen.map((option) => option.title).join(", "), this.select.payload.replaceAll("$codes", codes));
  }
}

if (!customElements.get("ademruimte-select")) customElements.define("ademruimte-select", AdemruimteSelect);
