/**
 * Room: web widget. The card that shows a return code, once. The digits live in this element's memory alone: when the
 * panel closes or the page reloads the element goes, and they with it. Draws into the widget's own shadow root.
 */

import { html, LitElement, nothing, type TemplateResult } from "lit";

import { halves, spelled } from "./code.js";
import { problemInWords } from "./http.js";
import { printCode } from "./print.js";
import { texts } from "./texts.js";

export class AdemruimteCode extends LitElement {
  static override properties = {
    shown: { attribute: false },
    ask: { attribute: false },
    code: { state: true },
    busy: { state: true },
    said: { state: true },
  };

  /** A code was shown before; a new one ends it. */
  declare shown: boolean;
  /** Makes a new code. */
  declare ask: () => Promise<string>;
  declare private code: string | null;
  declare private busy: boolean;
  declare private said: string;
  private clearPrint: (() => void) | null = null;

  constructor() {
    super();
    this.shown = false;
    this.code = null;
    this.busy = false;
    this.said = "";
  }

  override createRenderRoot(): this {
    return this;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.clear();
  }

  override render(): unknown {
    return html`<section class="card code" role="group" aria-labelledby="code-title">
      <h3 id="code-title">${texts.codeTitle}</h3>
      ${this.code === null ? this.renderOffer() : this.renderCode(this.code)}
      <p class="said" role="status">${this.said || nothing}</p>
    </section>`;
  }

  private renderOffer(): TemplateResult {
    return html`<p>${this.shown ? texts.codeAgain : texts.codeWhat}</p>
      <div class="choices">
        <button
          type="button"
          class="choice code-show"
          aria-disabled=${this.busy ? "true" : "false"}
          @click=${this.show}
        >
          ${this.shown ? texts.codeNew : texts.codeShow}
        </button>
      </div>`;
  }

  private renderCode(code: string): TemplateResult {
    return html`<div class="digits" role="img" tabindex="-1" aria-label=${texts.codeSpelled(spelled(code))}>
        ${halves(code).map((half) => html`<span>${half}</span> `)}
      </div>
      <p>${texts.codeOnce}</p>
      <div class="choices">
        <button type="button" class="choice" @click=${() => this.copy(code)}>${texts.codeCopy}</button>
        <button type="button" class="choice" @click=${() => this.print(code)}>${texts.codePrint}</button>
        <button type="button" class="choice" @click=${this.hide}>${texts.codeHide}</button>
      </div>`;
  }

  private async show(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.said = texts.moment;
    try {
      const code = await this.ask();
      if (!this.isConnected) return; // the panel was closed meanwhile: nobody saw it
      this.code = code;
      this.said = "";
      await this.focusOn(".digits");
      this.scrollIntoView({ block: "nearest" });
    } catch (error) {
      this.said = problemInWords(error);
    } finally {
      this.busy = false;
    }
  }

  private async copy(code: string): Promise<void> {
    try {
      await navigator.clipboard.writeText(code);
      this.said = texts.codeCopied;
    } catch {
      // No clipboard for this page: select the digits, as the person would.
      const digits = this.querySelector(".digits");
      if (digits) window.getSelection()?.selectAllChildren(digits);
      this.said = document.execCommand("copy") ? texts.codeCopied : texts.codeSelected;
    }
    await this.updateComplete;
    this.scrollIntoView({ block: "nearest" });
  }

  private print(code: string): void {
    this.clearPrint?.();
    this.clearPrint = printCode(code, texts.codePrinted);
  }

  private async hide(): Promise<void> {
    this.clear();
    this.shown = true;
    await this.focusOn(".code-show");
  }

  private clear(): void {
    this.clearPrint?.();
    this.clearPrint = null;
    this.code = null;
    this.said = "";
  }

  private async focusOn(selector: string): Promise<void> {
    await this.updateComplete;
    this.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true });
  }
}

if (!customElements.get("ademruimte-code")) customElements.define("ademruimte-code", AdemruimteCode);
