/**
 * Room: web widget. `<ademruimte-chat>`: the button in the corner, the panel with the conversation, the help
 * panel, the way in with a code and the quick exit. Knows the connection and how parts are drawn; keeps no words.
 *
 * Attributes: `open`, `server` (default: where this script comes from), `exit-url` (default: about:blank),
 * `region` (where the people of the page are: vlaanderen or nederland).
 */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { Composer } from "./composer.js";
import { Connection, openWithCode } from "./connection.js";
import { renderEntry, renderTyping, whoSays } from "./entries.js";
import { renderHeader, type View } from "./header.js";
import { knownRegion, renderHelpPanel, startRegion } from "./help-panel.js";
import { Keeper } from "./keeper.js";
import { breathMark, downMark } from "./marks.js";
import { BACK_TO_ASSISTANT, type Message } from "./messages.js";
import { spoken, type Choose } from "./parts.js";
import { coachShown, Reading } from "./reading.js";
import { styles } from "./styles.js";
import { coachStyles } from "./styles-coach.js";
import { partStyles } from "./styles-parts.js";
import { texts } from "./texts.js";
import { activeKey, BOT, entries, type Entry } from "./timeline.js";

import "./code-card.js";
import "./code-entry.js";

const FULL_SCREEN = "(max-width: 480px)";
/** Less height than this is for the words alone. */
const ROOM = "(min-height: 521px)";
const LEAVE_TO = "about:blank";

/** Only an ordinary page can be the way out; anything else falls back to the empty page. */
function safeExit(address: string | null): string {
  try {
    const url = new URL(address ?? LEAVE_TO, document.baseURI);
    return ["http:", "https:"].includes(url.protocol) ? url.href : LEAVE_TO;
  } catch {
    return LEAVE_TO;
  }
}

export class AdemruimteChat extends LitElement {
  static override styles = [styles, partStyles, coachStyles];
  static override properties = {
    open: { type: Boolean, reflect: true },
    server: {},
    exitUrl: { attribute: "exit-url" },
    region: {},
    view: { state: true },
    unread: { state: true },
  };

  declare open: boolean;
  declare server: string | null;
  declare exitUrl: string | null;
  declare region: string | null;
  declare private view: View;
  declare private unread: boolean;

  private readonly keeper = new Keeper();
  private readonly composer = new Composer(
    (text) => this.say(text),
    () => this.connection?.presence.types(),
  );
  private readonly reading = new Reading(() => this.requestUpdate());
  private connection: Connection | null = null;

  constructor() {
    super();
    this.open = false;
    this.server = null;
    this.exitUrl = null;
    this.region = null;
    this.view = "talk";
    this.unread = false;
  }

  // --- life ----------------------------------------------------------------------------------------------

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("online", this.onNetwork);
    window.addEventListener("offline", this.onNetwork);
    window.addEventListener("pageshow", this.onPageShow);
    window.addEventListener("storage", this.onWiped);
    document.addEventListener("visibilitychange", this.tellSeen);
    window.visualViewport?.addEventListener("resize", this.onViewport);
    window.visualViewport?.addEventListener("scroll", this.onViewport);
    if (this.hasUpdated && this.open) this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("online", this.onNetwork);
    window.removeEventListener("offline", this.onNetwork);
    window.removeEventListener("pageshow", this.onPageShow);
    window.removeEventListener("storage", this.onWiped);
    document.removeEventListener("visibilitychange", this.tellSeen);
    window.visualViewport?.removeEventListener("resize", this.onViewport);
    window.visualViewport?.removeEventListener("scroll", this.onViewport);
    this.connection?.stop();
    this.connection = null;
  }

  private begin(): void {
    if (this.connection) return;
    this.connection = new Connection(this.origin, this.keeper, (news) => this.onChange(news));
    this.connection.home = knownRegion(this.region);
    this.connection.start();
  }

  private get origin(): string {
    return new URL(this.server ?? new URL(import.meta.url).origin, document.baseURI).origin;
  }

  private readonly onNetwork = (): void => this.connection?.networkChanged(navigator.onLine);

  /** A page that loads is shown too, and then a server that is away may have refused already: nothing was wiped. */
  private readonly onPageShow = (event: PageTransitionEvent): void => {
    if (event.persisted) this.onWiped();
  };

  /** Another tab closed quickly, or the browser brought back an old page: what was wiped stays wiped. */
  private readonly onWiped = (): void => {
    if (!this.connection || this.connection.status === "starting" || this.keeper.token() !== null) return;
    this.connection.stop();
    this.connection = null;
    this.open = false;
  };

  /** On phones the keyboard covers part of the page; the panel keeps to what can be seen. */
  private readonly onViewport = (): void => {
    const seen = window.visualViewport;
    if (!seen || seen.scale > 1.05) return; // zoomed in by hand: leave the page alone
    this.style.setProperty("--seen-height", `${seen.height}px`);
    this.style.setProperty("--seen-top", `${seen.offsetTop}px`);
  };

  private onChange(news: readonly Message[]): void {
    for (const message of news) this.announce(message);
    if (news.length && !this.open) this.unread = true;
    this.requestUpdate();
  }

  // --- what the person does ------------------------------------------------------------------------------

  private say(text: string): void {
    this.reading.toEnd();
    this.connection?.say(text);
  }

  private readonly choose: Choose = (title, payload) => {
    this.reading.toEnd();
    const key = this.connection?.choose(title, payload);
    // The button that was used is gone. The person's own words take its place, so that Tab goes on from there.
    void this.updateComplete.then(() =>
      this.renderRoot.querySelector<HTMLElement>(`[data-key="${key}"]`)?.focus({ preventScroll: true }),
    );
  };

  private async focusOn(selector: string): Promise<void> {
    await this.updateComplete;
    this.renderRoot.querySelector<HTMLElement>(selector)?.focus({ preventScroll: true });
  }

  private openPanel(): void {
    this.open = true;
    void this.focusOn("#title");
  }

  private closePanel(): void {
    this.open = false;
    this.view = "talk";
    void this.focusOn(".launcher");
  }

  private show(view: View): void {
    this.view = view;
    void this.focusOn(view === "help" ? "#help-title" : "#code-entry-title");
  }

  /** Back to the conversation; the keyboard goes to the button that led away from it. */
  private readonly back = (): void => {
    const button = this.view === "help" ? ".help-button" : ".with-code";
    this.view = "talk";
    void this.focusOn(button);
  };

  /** The person is in this region: it holds for the lines here and for those that the assistant shows. */
  private readonly moveTo = (region: string): void => {
    this.connection?.move(region);
    this.requestUpdate();
  };

  /** Another conversation, found by its code, takes the place of the one in this browser. */
  private readonly enter = async (code: string): Promise<void> => {
    const before = this.connection;
    const token = await openWithCode(this.origin, code);
    if (this.connection !== before) return; // "Snel sluiten" meanwhile: leave no trace
    before?.stop();
    this.keeper.enter(token, Date.now());
    this.connection = null;
    this.view = "talk";
    this.reading.begin();
    this.renderRoot.querySelector(".live")?.replaceChildren();
    this.begin();
    this.speak(texts.entered);
    if (this.open) void this.focusOn("#title");
  };

  /** A new return code, for the card of a message that came at `at` (milliseconds since 1970). */
  private async newCode(at: number): Promise<string> {
    if (!this.connection) throw new Error("closed");
    const code = await this.connection.newCode();
    this.keeper.saveCodeShown(at);
    return code;
  }

  /** Wipes what this browser knows, empties the page at once and puts another in its place. */
  private leave(): void {
    this.connection?.stop();
    this.connection = null;
    this.keeper.clear();
    const target = safeExit(this.exitUrl);
    document.title = "";
    document.body.replaceChildren();
    window.location.replace(target);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Escape" && !event.isComposing) {
      event.stopPropagation();
      if (this.view === "talk") this.closePanel();
      else this.back();
    } else if (event.key === "Tab" && window.matchMedia(FULL_SCREEN).matches) {
      this.stayInside(event);
    }
  }

  /** Full screen there is nothing to see behind the panel, so Tab goes round inside it. */
  private stayInside(event: KeyboardEvent): void {
    const all = this.renderRoot.querySelectorAll<HTMLElement>(
      "button, a[href], input, textarea, summary, [tabindex='0']",
    );
    const usable = [...all].filter((element) => element.tabIndex >= 0 && element.checkVisibility());
    const active = this.shadowRoot?.activeElement;
    const [first, last] = [usable[0], usable.at(-1)];
    if (event.shiftKey && active === first) last?.focus();
    else if (!event.shiftKey && active === last) first?.focus();
    else return;
    event.preventDefault();
  }

  private onScroll(event: Event): void {
    this.reading.scrolled(event.currentTarget as HTMLElement);
    this.tellSeen();
  }

  private scrollToEnd(): void {
    this.reading.toEnd();
    const log = this.renderRoot.querySelector(".log");
    log?.scrollTo({ top: log.scrollHeight });
  }

  /** The coach may know how far somebody has read who has the conversation before their eyes. */
  private readonly tellSeen = (): void => {
    const log = this.renderRoot.querySelector<HTMLElement>(".log");
    if (!log || this.view !== "talk" || document.visibilityState !== "visible") return;
    this.connection?.presence.sees(coachShown(log));
  };

  // --- drawing -------------------------------------------------------------------------------------------

  override render(): unknown {
    if (!this.open) {
      return html`<button type="button" class="launcher" lang="nl" aria-haspopup="dialog" @click=${this.openPanel}>
          ${breathMark()}<span>${texts.launcher}</span>
          ${this.unread ? html`<span class="dot"><span class="hidden">${texts.launcherUnread}</span></span>` : nothing}
        </button>
        ${this.renderLive()}`;
    }
    const list = this.connection ? entries(this.connection.timeline) : [];
    const fresh = !list.some((entry) => entry.role === "user");
    return html`<section class="panel" lang="nl" role="dialog" aria-labelledby="title" @keydown=${this.onKey}>
        ${renderHeader(this.connection?.owner ?? BOT, this.view, fresh && window.matchMedia(ROOM).matches, {
          minimise: () => this.closePanel(),
          help: () => this.show("help"),
          exit: () => this.leave(),
          code: () => this.show("code"),
        })}
        ${this.view === "help" ? this.renderHelp() : nothing}
        ${this.view === "code"
          ? html`<div class="scroller">
              <ademruimte-code-entry .enter=${this.enter} .close=${this.back} .replaces=${!fresh}>
              </ademruimte-code-entry>
            </div>`
          : nothing}
        ${this.renderConversation(list)}
      </section>
      ${this.renderLive()}`;
  }

  private renderHelp(): TemplateResult {
    return html`<div class="scroller" tabindex="0" role="group" aria-label=${texts.helpTitle}>
      ${renderHelpPanel(startRegion(this.connection?.region ?? this.region, navigator.language), this.moveTo, this.back)}
    </div>`;
  }

  private renderLive(): TemplateResult {
    return html`<div class="hidden live" lang="nl" aria-live="polite" aria-relevant="additions"></div>`;
  }

  private renderConversation(list: readonly Entry[]): TemplateResult {
    const connection = this.connection;
    const owner = connection?.owner ?? BOT;
    const offline = connection?.status === "offline";
    const withCoach = owner.who === "coach";
    const drawing = {
      active: activeKey(list),
      lastCode: list.findLast((entry) => entry.parts.some((part) => part.type === "return_code"))?.key,
      codeShown: this.keeper.codeShown(),
      mixed: list.some((entry) => entry.role === "coach"),
      withCoach,
      offline,
      now: Date.now(),
      choose: this.choose,
      newCode: (at: number) => this.newCode(at),
    };
    const typing = connection?.typing || (connection?.status === "starting" && !list.length);
    const leaving = connection?.timeline.unsent.some((out) => out.payload === BACK_TO_ASSISTANT);
    return html`<div class="conversation" ?hidden=${this.view !== "talk"}>
      <div class="log" tabindex="0" role="group" aria-label=${texts.conversation} @scroll=${this.onScroll}>
        <ol role="list">
          ${repeat(
            list,
            (entry) => entry.key,
            (entry, index) => renderEntry(entry, list[index - 1], drawing),
          )}
        </ol>
        ${typing ? renderTyping(owner) : nothing}
      </div>
      ${this.reading.atEnd
        ? nothing
        : html`<button
            type="button"
            class="newer ${this.reading.behind ? "" : "round"}"
            aria-label=${this.reading.behind ? texts.newMessages : texts.toEnd}
            @click=${this.scrollToEnd}
          >
            ${downMark()}${this.reading.behind ? texts.newMessages : nothing}
          </button>`}
      <div class="status" role="status">
        ${offline ? html`<p class="offline">${texts.offline}</p>` : nothing}
        ${connection?.notice ? html`<p>${connection.notice}</p>` : nothing}
      </div>
      ${withCoach && !leaving
        ? html`<div class="to-assistant">
            <button type="button" class="choice" @click=${() => this.choose(texts.toAssistant, BACK_TO_ASSISTANT)}>
              ${texts.toAssistant}
            </button>
          </div>`
        : nothing}
      ${this.composer.render()}
    </div>`;
  }

  override willUpdate(changed: PropertyValues): void {
    if (changed.has("open") && this.open) {
      this.unread = false;
      this.reading.begin();
      this.begin();
    }
  }

  override updated(): void {
    this.composer.afterDrawing(this.renderRoot);
    const log = this.renderRoot.querySelector<HTMLElement>(".log");
    if (!log || this.view !== "talk") return;
    this.reading.afterDrawing(log);
    this.tellSeen();
    void this.followParts(log);
  }

  /** The scale, the ticks and the card draw themselves a moment later; only then their height is known. */
  private async followParts(log: HTMLElement): Promise<void> {
    const parts = log.querySelectorAll<LitElement>("ademruimte-scale, ademruimte-select, ademruimte-code");
    if (!parts.length) return;
    await Promise.all([...parts].map((part) => part.updateComplete));
    if (log.isConnected) this.reading.afterDrawing(log);
  }

  private announce(message: Message): void {
    this.speak([whoSays(message), ...message.parts.map(spoken)].filter(Boolean).join(" "));
  }

  /** Adds words to the live region; what is being read out is left in place. */
  private speak(words: string): void {
    const live = this.renderRoot.querySelector(".live");
    if (!live) return;
    const line = document.createElement("p");
    line.textContent = words;
    live.append(line);
    while (live.childElementCount > 6) live.firstElementChild?.remove();
  }
}

if (!customElements.get("ademruimte-chat")) customElements.define("ademruimte-chat", AdemruimteChat);
