/**
 * Room: web widget. The text box: Enter sends, Shift+Enter starts a new line, grows with what is typed, says
 * so when the end comes near.
 */

import { html, nothing, type TemplateResult } from "lit";

import { sendMark } from "./marks.js";
import { texts } from "./texts.js";

/** Characters; the chat API refuses more. */
export const LIMIT = 4000;
const COUNT_FROM = 3600;

const whole = new Intl.NumberFormat("nl-BE");

export class Composer {
  private box: HTMLTextAreaElement | null = null;
  private counter: HTMLElement | null = null;

  constructor(
    private readonly say: (text: string) => void,
    private readonly types: () => void,
  ) {}

  render(): TemplateResult {
    return html`<form class="composer" @submit=${this.onSubmit}>
      <label class="hidden" for="box">${texts.inputLabel}</label>
      <textarea
        id="box"
        rows="1"
        maxlength=${LIMIT}
        placeholder=${texts.inputLabel}
        autocomplete="off"
        enterkeyhint="send"
        @input=${this.onInput}
        @keydown=${this.onKey}
      ></textarea>
      <button type="submit" class="send" aria-label=${texts.send} title=${texts.send}>${sendMark()}</button>
      <p class="counter quiet" role="status">${nothing}</p>
    </form>`;
  }

  afterDrawing(root: ParentNode): void {
    this.box = root.querySelector("#box");
    this.counter = root.querySelector(".counter");
  }

  private readonly onSubmit = (event: Event): void => {
    event.preventDefault();
    const text = this.box?.value.trim() ?? "";
    if (!this.box || !text) return;
    this.box.value = "";
    this.fit();
    this.say(text);
  };

  private readonly onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    this.onSubmit(event);
  };

  private readonly onInput = (): void => {
    this.fit();
    if (this.box?.value.trim()) this.types();
  };

  private readonly fit = (): void => {
    if (!this.box || !this.counter) return;
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight + 2}px`;
    const used = this.box.value.length;
    if (used < COUNT_FROM) this.counter.textContent = "";
    else if (used >= LIMIT) this.counter.textContent = texts.charactersFull(whole.format(LIMIT));
    else this.counter.textContent = texts.characters(whole.format(used), whole.format(LIMIT));
  };
}
