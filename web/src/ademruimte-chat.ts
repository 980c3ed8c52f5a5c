/**
 * Room: web widget. `<ademruimte-chat>`: the button in the corner, the panel with the conversation, the help
 * panel and the quick exit. Knows the connection and how parts are drawn; keeps no words of anybody.
 *
 * Attributes: `open`, `server` (default: where this script comes from), `exit-url` (default: about:blank),
 * `region` (help lines to show first: vlaanderen or nederland).
 */

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { renderHelpPanel, startRegion } from "./help-panel.js";
import { Keeper } from "./keeper.js";
import { breathMark, downMark, exitMark, phoneMark } from "./marks.js";
import type { Message } from "./messages.js";
import { renderPart, spoken, type Choose } from "./parts.js";
import { styles } from "./styles.js";
import { partStyles } from "./styles-parts.js";
import { texts } from "./texts.js";
import { activeKey, entries, isFresh, type Entry } from "./timeline.js";

const FULL_SCREEN = "(max-width: 480px)";
const LEAVE_TO = "about:blank";
/** Closer to the end than this (px) counts as "reading along". */
const AT_END = 80;

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
  static override styles = [styles, partStyles];
  static override properties = {
    open: { type: Boolean, reflect: true },
    server: {},
    exitUrl: { attribute: "exit-url" },
    region: {},
    helping: { state: true },
    unread: { state: true },
    behind: { state: true },
    atEnd: { state: true },
  };

  declare open: boolean;
  declare server: string | null;
  declare exitUrl: string | null;
  declare region: string | null;
  declare private helping: boolean;
  declare private unread: boolean;
  /** True when new messages are below what the person is reading. */
  declare private behind: boolean;
  declare private atEnd: boolean;

  private readonly keeper = new Keeper();
  private readonly composer = new Composer((text) => this.say(text));
  private connection: Connection | null = null;
  private following = true;
  /** So many entries were drawn, so many the person has seen the end of, and where we put the scroll ourselves. */
  private drawn = 0;
  private seen = 0;
  private placed = 0;

  constructor() {
    super();
    this.open = false;
    this.server = null;
    this.exitUrl = null;
    this.region = null;
    this.helping = false;
    this.unread = false;
    this.behind = false;
    this.atEnd = true;
  }

  // --- life ----------------------------------------------------------------------------------------------

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("online", this.onNetwork);
    window.addEventListener("offline", this.onNetwork);
    window.addEventListener("pageshow", this.onReturn);
    window.addEventListener("storage", this.onReturn);
    window.visualViewport?.addEventListener("resize", this.onViewport);
    window.visualViewport?.addEventListener("scroll", this.onViewport);
    if (this.hasUpdated && this.open) this.begin();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("online", this.onNetwork);
    window.removeEventListener("offline", this.onNetwork);
    window.removeEventListener("pageshow", this.onReturn);
    window.removeEventListener("storage", this.onReturn);
    window.visualViewport?.removeEventListener("resize", this.onViewport);
    window.visualViewport?.removeEventListener("scroll", this.onViewport);
    this.connection?.stop();
    this.connection = null;
  }

  private begin(): void {
    if (this.connection) return;
    const server = new URL(this.server ?? new URL(import.meta.url).origin, document.baseURI).origin;
    this.connection = new Connection(server, this.keeper, (news) => this.onChange(news));
    this.connection.start();
  }

  private readonly onNetwork = (): void => this.connection?.networkChanged(navigator.onLine);

  /** Another tab closed quickly, or the browser brought back an old page: what was wiped stays wiped. */
  private readonly onReturn = (): void => {
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
    this.toEnd();
    this.connection?.say(text);
  }

  private readonly choose: Choose = (title, payload) => {
    this.toEnd();
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
    this.helping = false;
    void this.focusOn(".launcher");
  }

  private showHelp(): void {
    this.helping = true;
    void this.focusOn("#help-title");
  }

  private hideHelp(): void {
    this.helping = false;
    void this.focusOn(".help-button");
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
      if (this.helping) this.hideHelp();
      else this.closePanel();
    } else if (event.key === "Tab" && window.matchMedia(FULL_SCREEN).matches) {
      this.stayInside(event);
    }
  }

  /** Full screen there is nothing to see behind the panel, so Tab goes round inside it. */
  private stayInside(event: KeyboardEvent): void {
    const all = this.renderRoot.querySelectorAll<HTMLElement>("button, a[href], textarea, summary, [tabindex='0']");
    const usable = [...all].filter((element) => element.tabIndex >= 0 && element.checkVisibility());
    const active = this.shadowRoot?.activeElement;
    const [first, last] = [usable[0], usable.at(-1)];
    if (event.shiftKey && active === first) last?.focus();
    else if (!event.shiftKey && active === last) first?.focus();
    else return;
    event.preventDefault();
  }

  private onScroll(event: Event): void {
    const log = event.currentTarget as HTMLElement;
    this.atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < AT_END;
    if (Math.abs(log.scrollTop - this.placed) < 2) return; // that was us
    this.following = this.atEnd;
    if (this.following) this.toEnd();
  }

  /** From here on the person reads along: what is here counts as seen. */
  private toEnd(): void {
    this.following = true;
    this.behind = false;
    this.seen = this.drawn;
  }

  private scrollToEnd(): void {
    this.toEnd();
    const log = this.renderRoot.querySelector(".log");
    log?.scrollTo({ top: log.scrollHeight });
  }

  // --- drawing -------------------------------------------------------------------------------------------

  override render(): unknown {
    if (!this.open) {
      return html`<button type="button" class="launcher" lang="nl" aria-haspopup="dialog" @click=${this.openPanel}>
          ${breathMark()}<span>${texts.launcher}</span>
          ${this.unread ? html`<span class="dot"><span class="hidden">${texts.launcherUnread}</span></span>` : nothing}
        </button>
        ${this.renderLive()}`;
    }
    return html`<section class="panel" lang="nl" role="dialog" aria-labelledby="title" @keydown=${this.onKey}>
        ${this.renderHeader()}
        ${this.helping
          ? html`<div class="scroller" tabindex="0" role="group" aria-label=${texts.helpTitle}>
              ${renderHelpPanel(
                startRegion(this.region, navigator.language),
                (region) => (this.region = region),
                () => this.hideHelp(),
              )}
            </div>`
          : nothing}
        ${this.renderConversation()}
      </section>
      ${this.renderLive()}`;
  }

  private renderLive(): TemplateResult {
    return html`<div class="hidden live" lang="nl" aria-live="polite" aria-relevant="additions"></div>`;
  }

  private renderHeader(): TemplateResult {
    return html`<header>
      <div class="who">
        ${breathMark()}
        <div>
          <h2 id="title" tabindex="-1">${texts.name}</h2>
          <p>${texts.isProgram}</p>
        </div>
        <button type="button" class="plain minimise" aria-label=${texts.minimise} @click=${this.closePanel}>
          ${downMark()}
        </button>
      </div>
      <div class="exits">
        <button type="button" class="help-button" aria-expanded=${this.helping ? "true" : "false"} @click=${this.showHelp}>
          ${phoneMark()}<span>${texts.help}</span>
        </button>
        <button type="button" class="exit" title=${texts.exitWhat} @click=${this.leave}>
          ${exitMark()}<span>${texts.exit}</span>
        </button>
      </div>
    </header>`;
  }

  private renderConversation(): TemplateResult {
    const connection = this.connection;
    const list = connection ? entries(connection.timeline) : [];
    const active = activeKey(list);
    const offline = connection?.status === "offline";
    return html`<div class="conversation" ?hidden=${this.helping}>
      <div class="log" tabindex="0" role="group" aria-label=${texts.conversation} @scroll=${this.onScroll}>
        <ol role="list">
          ${repeat(
            list,
            (entry) => entry.key,
            (entry, index) => this.renderEntry(entry, entry.key === active, list[index - 1], offline),
          )}
        </ol>
        ${connection?.typing || (connection?.status === "starting" && !list.length) ? this.renderTyping() : nothing}
      </div>
      ${this.atEnd
        ? nothing
        : html`<button
            type="button"
            class="newer ${this.behind ? "" : "round"}"
            aria-label=${this.behind ? texts.newMessages : texts.toEnd}
            @click=${this.scrollToEnd}
          >
            ${downMark()}${this.behind ? texts.newMessages : nothing}
          </button>`}
      <div class="status" role="status">
        ${offline ? html`<p class="offline">${texts.offline}</p>` : nothing}
        ${connection?.notice ? html`<p>${connection.notice}</p>` : nothing}
      </div>
      ${this.composer.render()}
    </div>`;
  }

  private renderEntry(entry: Entry, active: boolean, before: Entry | undefined, offline: boolean): TemplateResult {
    const who = { bot: texts.botSays, user: texts.youSay, system: texts.notice }[entry.role] ?? texts.notice;
    const question = entry.parts.findLast((part) => part.type === "text");
    const classes = `entry ${entry.role}${before?.role === entry.role ? " again" : ""}`;
    return html`<li class=${classes} data-key=${entry.key} tabindex="-1">
      <span class="hidden">${who}</span>
      ${entry.parts.map((part) => {
        const names = part === question || part.type === "scale" || part.type === "multi_select";
        const questionId = names && question ? `text-${entry.key}` : null;
        return renderPart(part, active, isFresh(entry, Date.now()), questionId, this.choose);
      })}
      ${entry.state === "refused" ? html`<p class="fate">${texts.refused} ${entry.reason}</p>` : nothing}
      ${entry.state === "waiting" && offline ? html`<p class="fate">${texts.waiting}</p>` : nothing}
    </li>`;
  }

  private renderTyping(): TemplateResult {
    return html`<div class="typing"><span class="hidden">${texts.typing}</span><i></i><i></i><i></i></div>`;
  }

  override willUpdate(changed: PropertyValues): void {
    if (changed.has("open") && this.open) {
      this.unread = false;
      this.following = true;
      this.drawn = this.seen = this.placed = 0;
      this.begin();
    }
  }

  override updated(): void {
    this.composer.afterDrawing(this.renderRoot);
    const log = this.renderRoot.querySelector<HTMLElement>(".log");
    if (!log || this.helping) return;
    const shown = [...log.querySelectorAll<HTMLElement>(".entry")];
    const grew = shown.length > this.drawn;
    this.drawn = shown.length;
    if (this.following) this.follow(log, shown);
    else if (grew) this.behind = true;
  }

  /** Shows the end, but not past the start of what is new: a long answer is read from its top. Never goes back up. */
  private follow(log: HTMLElement, shown: readonly HTMLElement[]): void {
    const own = shown.findLastIndex((entry) => entry.classList.contains("user"));
    const first = Math.min(Math.max(own + 1, this.seen), shown.length - 1);
    const start = shown[first]?.offsetTop ?? 0;
    const end = log.scrollHeight - log.clientHeight;
    this.placed = Math.max(log.scrollTop, Math.min(end, start - 12));
    log.scrollTop = this.placed;
    this.placed = log.scrollTop; // as the browser rounded it
    this.atEnd = end - this.placed < AT_END;
  }

  /** Adds the new words to the live region; what is being read out is left in place. */
  private announce(message: Message): void {
    const live = this.renderRoot.querySelector(".live");
    if (!live) return;
    const line = document.createElement("p");
    const who = message.role === "bot" ? texts.botSays : texts.notice;
    line.textContent = [who, ...message.parts.map(spoken)].filter(Boolean).join(" ");
    live.append(line);
    while (live.childElementCount > 6) live.firstElementChild?.remove();
  }
}

if (!customElements.get("ademruimte-chat")) customElements.define("ademruimte-chat", AdemruimteChat);
