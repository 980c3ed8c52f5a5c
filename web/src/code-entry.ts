/**
 * Room: web widget. "Ik heb een code": one field, and a question first when a conversation on this device has to make
 * place. Draws into the widget's own shadow root; the digits go nowhere but to `enter`.
 */

import { html, LitElement, nothing, type TemplateResult } from "lit";

import { CODE_LENGTH, digitsOf, grouped, tidied } from "./code.js";
import { problemInWords } from "./http.js";
import { backMark } from "./marks.js";
import { texts } from "./texts.js";

export class AdemruimteCodeEntry extends LitElement {
  static override properties = {
    enter: { attribute: false },
    close: { attribute: false },
    replaces: { attribute: false },
    asking: { state: true },
    agreed: { state: true },
    busy: { state: true },
    problem: { state: true },
  };

  /** Opens the conversation of a code; throws what `problemInWords` can tell. */
  declare enter: (code: string) => Promise<void>;
  declare close: () => void;
  /** True when somebody said something in the conversation that is here now. */
  declare replaces: boolean;
  declare private asking: boolean;
  declare private agreed: boolean;
  declare private busy: boolean;
  declare private problem: string;

  constructor() {
    super();
    this.replaces = false;
    this.asking = false;
    this.agreed = false;
    this.busy = false;
    this.problem = "";
  }

  override createRenderRoot(): this {
    return this;
  }

  override render(): unknown {
    return html`<section class="help code-entry" aria-labelledby="code-entry-title">
      <button type="button" class="plain back" @click=${() => this.close()}>
        ${backMark()}<span>${texts.helpBack}</span>
      </button>
      <h3 id="code-entry-title" tabindex="-1">${texts.entryTitle}</h3>
      <p>${texts.entryWhat}</p>
      <form novalidate ?hidden=${this.asking} @submit=${this.onSubmit}>
        <label for="code-field">${texts.entryLabel}</label>
        <input
          id="code-field"
          type="text"
          inputmode="numeric"
          autocomplete="off"
          autocorrect="off"
          spellcheck="false"
          enterkeyhint="go"
          aria-invalid=${this.problem ? "true" : "false"}
          aria-describedby="code-problem"
          @input=${this.onInput}
        />
        <p id="code-problem" class="problem" role="alert">${this.problem || nothing}</p>
        <button type="submit" class="primary" aria-disabled=${this.busy ? "true" : "false"}>
          ${texts.entrySubmit}
        </button>
      </form>
      ${this.asking ? this.renderQuestion() : nothing}
      <p class="quiet" role="status">${this.busy ? texts.moment : nothing}</p>
    </section>`;
  }

  private renderQuestion(): TemplateResult {
    return html`<div class="entry-question" role="group" aria-labelledby="entry-question">
      <p id="entry-question" class="danger" tabindex="-1">${texts.entryAsk}</p>
      <div class="choices">
        <button type="button" class="choice" @click=${this.goOn}>${texts.entryYes}</button>
        <button type="button" class="choice" @click=${() => this.close()}>${texts.entryNo}</button>
      </div>
    </div>`;
  }

  private get field(): HTMLInputElement | null {
    return this.querySelector("#code-field");
  }

  private onInput(event: Event): void {
    const field = event.currentTarget as HTMLInputElement;
    if ((event as InputEvent).isComposing) return;
    const { shown, caret } = tidied(field.value, field.selectionStart ?? field.value.length);
    this.problem = "";
    if (shown === field.value) return;
    field.value = shown;
    field.setSelectionRange(caret, caret);
  }

  private async onSubmit(event: Event): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const digits = digitsOf(this.field?.value ?? "");
    if (digits.length !== CODE_LENGTH) return this.say(texts.entryCount(digits.length));
    if (!this.replaces || this.agreed) return this.open(digits);
    this.asking = true;
    await this.focusOn("#entry-question");
  }

  private async goOn(): Promise<void> {
    this.asking = false;
    this.agreed = true; // also when the code turns out to be wrong: one question is enough
    await this.open(digitsOf(this.field?.value ?? ""));
  }

  private async open(digits: string): Promise<void> {
    this.busy = true;
    this.problem = "";
    try {
      await this.enter(grouped(digits));
    } catch (error) {
      this.busy = false;
      await this.say(problemInWords(error));
    } finally {
      this.busy = false;
    }
  }

  private async say(problem: string): Promise<void> {
    this.problem = problem;
    await this.focusOn("#code-field");
  }

  private async focusOn(selector: string): Promise<void> {
    await this.updateComplete;
    this.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true });
  }
}

if (!customElements.get("ademruimte-code-entry")) {
  customElements.define("ademruimte-code-entry", AdemruimteCodeEntry);
}
