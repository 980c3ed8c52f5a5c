/**
 * Room: web widget. Keeps one conversation in step with the server over the chat API: WebSocket first, plain
 * HTTP when a WebSocket cannot open; replays what was missed, resends what was not confirmed. No DOM.
 */

import { browser, call, Refused, type World } from "./http.js";
import type { Keeper } from "./keeper.js";
import { isMessage, type Message, type Outgoing, type Owner } from "./messages.js";
import { Presence } from "./presence.js";
import { texts } from "./texts.js";
import {
  acknowledge,
  asSent,
  BOT,
  caughtUp,
  emptyTimeline,
  enqueue,
  GREETING_PREFIX,
  hasGap,
  ownerFrom,
  receive,
  refuse,
  type Timeline,
  withoutUnsent,
} from "./timeline.js";
import { backOff, Timers, WAITS } from "./waits.js";

/** An answer holds at most so many messages; then there may be more. */
const PAGE = 500;
/** While polling, each so many rounds a WebSocket is tried again. */
const SOCKET_EACH_ROUNDS = 15;
/** After this long without a word, opening the widget greets again, so that the assistant can take up the thread. */
const GREET_AGAIN_AFTER_MS = 4 * 60 * 60 * 1000;

export type Status = "starting" | "online" | "offline";

/**
 * The token of the conversation that a return code leads to. Nothing of this browser goes along but the code; throws
 * `Refused`, or anything else when there is no network.
 */
export async function openWithCode(server: string, code: string, world: World = browser): Promise<string> {
  return ((await call(world, server, null, "POST", "return", { code })) as { token: string }).token;
}

export class Connection {
  timeline: Timeline = emptyTimeline;
  status: Status = "starting";
  typing = false;
  notice: string | null = null;
  /** Whose help lines the assistant shows, as the server or the person said last; null before that is known. */
  region: string | null = null;
  /** Where the page says people are: told when nobody said so in this conversation. */
  home: string | null = null;
  readonly presence: Presence;

  private running = false;
  private moved: string | null = null; // where the person or the page says to be, not told yet
  private telling = false;
  private socket: WebSocket | null = null;
  private live = false; // the first replay is done: from here on messages are news
  private freshToken = false; // made just now, not yet accepted anywhere
  private heardOwner = false; // this socket said who answers
  private long = false; // it was silent for so long that the assistant may greet again
  private attempt = 0;
  private rounds = 0;
  private readonly inFlight = new Set<string>();
  private readonly timers = new Timers();

  constructor(
    private readonly server: string,
    private readonly keeper: Keeper,
    private readonly changed: (news: readonly Message[]) => void,
    private readonly world: World = browser,
  ) {
    this.timeline = { ...emptyTimeline, unsent: keeper.unsent() };
    this.presence = new Presence(world.now, (event) => this.tell(event));
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    void this.connect();
  }

  /** Ends everything; nothing is sent or drawn after this. */
  stop(): void {
    this.running = false;
    this.timers.clearAll();
    this.presence.forget();
    this.dropSocket();
  }

  /** The browser says that the network came or went: no need to wait for a time-out. */
  networkChanged(online: boolean): void {
    if (!this.running) return;
    this.dropSocket();
    if (online) return void this.connect();
    this.lost();
    this.retry(); // a browser may be wrong about it
  }

  /** Who answers now. */
  get owner(): Owner {
    return this.presence.told ?? ownerFrom(this.timeline);
  }

  say(text: string): string {
    return this.put({ id: this.newId(), text });
  }

  choose(title: string, payload: string): string {
    return this.put({ id: this.newId(), text: title, payload });
  }

  /** A new return code; the one before stops working. Throws as `openWithCode` does. */
  async newCode(): Promise<string> {
    const { code } = (await this.call("POST", "code", {})) as { code: string };
    if (!this.running) throw new Error("closed meanwhile");
    return code;
  }

  /** The person says to be in this region; told to the server now, or when it can be reached. */
  move(region: string): void {
    this.region = this.moved = region;
    void this.tellRegion();
  }

  private async tellRegion(): Promise<void> {
    if (this.telling) return;
    this.telling = true;
    try {
      while (this.moved !== null && this.running && this.keeper.token() !== null) {
        const region = this.moved;
        await this.call("POST", "region", { region });
        if (this.moved === region) this.moved = null;
      }
    } catch {
      if (this.running) this.timers.after("region", WAITS.longestRetry, () => void this.tellRegion());
    } finally {
      this.telling = false;
    }
  }

  private heardSession(session: Record<string, unknown>): void {
    this.keeper.setRemember(session["remember"] === true);
    if (this.moved === null && typeof session["region"] === "string") {
      if (session["region_said"] === false && this.home !== null) this.moved = this.home;
      this.region = this.moved ?? session["region"];
    }
    void this.tellRegion();
  }

  // --- sending -------------------------------------------------------------------------------------------

  private tell(event: Record<string, unknown>): boolean {
    if (!this.live || !this.running || this.socket?.readyState !== 1) return false;
    this.socket.send(JSON.stringify(event));
    return true;
  }

  private newId(prefix = ""): string {
    const part = () => Math.floor(this.world.random() * 0x100000000).toString(36);
    return `${prefix}${this.world.now().toString(36)}-${part()}${part()}`;
  }

  private put(out: Outgoing): string {
    this.notice = null;
    this.long = false;
    this.update(enqueue(this.timeline, out));
    this.flush();
    return out.id;
  }

  /** Says hello before anything else that waits; the assistant answers with who it is. */
  private greetFirst(): void {
    const others = this.timeline.unsent.filter((out) => !out.id.startsWith(GREETING_PREFIX));
    const greeting = { id: this.newId(GREETING_PREFIX), text: "…", payload: "/greet" };
    this.update({ ...this.timeline, unsent: [greeting, ...others] });
    this.flush();
  }

  private flush(): void {
    if (!this.live || !this.running) return;
    if (!this.socket) {
      if (this.timers.has("poll")) void this.flushByHttp();
      return;
    }
    if (this.socket.readyState !== 1) return;
    for (const out of this.timeline.unsent) {
      if (out.refused || this.inFlight.has(out.id)) continue;
      this.inFlight.add(out.id);
      this.socket.send(JSON.stringify({ type: "send", ...asSent(out) }));
    }
    if (this.inFlight.size && !this.timers.has("confirmation")) {
      // A line that swallows messages looks open: without a confirmation it is opened anew and all is resent.
      this.timers.after("confirmation", WAITS.confirmation, () => this.inFlight.size && this.socket?.close());
    }
  }

  private async flushByHttp(): Promise<void> {
    if (this.inFlight.size) return;
    for (;;) {
      const out = this.timeline.unsent.find((candidate) => !candidate.refused);
      if (!out || this.socket || !this.running) return;
      this.inFlight.add(out.id);
      this.setTyping(this.owner.who !== "coach"); // whether a person writes is not known here
      try {
        await this.call("POST", "messages", asSent(out));
        await this.fetchNew();
        this.update(withoutUnsent(this.timeline, out.id));
        this.heardSession((await this.call("GET", "session")) as Record<string, unknown>);
      } catch (error) {
        if (!this.refusedForGood(out.id, error)) return this.failed(error);
      } finally {
        this.inFlight.delete(out.id);
        this.setTyping(false);
      }
    }
  }

  private refusedForGood(id: string, error: unknown): boolean {
    if (!(error instanceof Refused) || error.status === 401 || error.status === 429 || error.status >= 500) {
      return false;
    }
    this.update(refuse(this.timeline, id, error.message));
    return true;
  }

  // --- connecting ----------------------------------------------------------------------------------------

  private async connect(): Promise<void> {
    if (!this.running) return;
    this.timers.clear("retry");
    this.timers.clear("poll");
    if (this.keeper.token() === null) {
      try {
        const region = this.region ?? this.home;
        const session = (await this.call("POST", "sessions", region ? { region } : {})) as { token: string };
        if (!this.running) return; // closed meanwhile: leave no trace
        this.keeper.saveToken(session.token);
        this.freshToken = true;
        if (this.moved === region) this.moved = null;
        this.greetFirst();
      } catch (error) {
        return this.failed(error);
      }
    }
    this.openSocket();
  }

  private openSocket(): void {
    if (!this.running || this.socket) return;
    const address = new URL("/api/chat/socket", this.server);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    address.searchParams.set("after", String(this.timeline.cursor));
    let socket: WebSocket;
    try {
      socket = this.world.openSocket(address.href, ["ademruimte", `bearer.${this.keeper.token() ?? ""}`]);
    } catch {
      return void this.probe(); // forbidden by the page's policy: plain HTTP may still work
    }
    let opened = false;
    this.socket = socket;
    this.heardOwner = false;
    this.timers.after("opening", WAITS.socketOpening, () => !opened && socket.close());
    socket.onopen = () => {
      opened = true;
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (socket === this.socket) this.hear(event.data);
    };
    socket.onclose = () => {
      if (socket !== this.socket) return;
      this.dropSocket();
      if (opened) this.retry();
      else void this.probe();
    };
  }

  private dropSocket(): void {
    const socket = this.socket;
    this.socket = null;
    this.inFlight.clear();
    this.timers.clear("opening");
    this.timers.clear("confirmation");
    this.timers.clear("owner");
    this.setTyping(false);
    socket?.close();
  }

  /** A WebSocket that would not open tells not why: a plain request does (no network, no session, no WebSocket). */
  private async probe(): Promise<void> {
    try {
      await this.fetchNew();
    } catch (error) {
      return this.failed(error);
    }
    this.reached();
    this.setOwner(null);
    void this.flushByHttp();
    this.rounds += 1;
    const next = () => (this.rounds % SOCKET_EACH_ROUNDS === 0 ? this.openSocket() : void this.probe());
    if (!this.socket) this.timers.after("poll", WAITS.poll, next);
  }

  private async fetchNew(): Promise<void> {
    let page: unknown[];
    do {
      const answer = await this.call("GET", `messages?after=${this.timeline.cursor}`);
      page = (answer as { messages?: unknown[] }).messages ?? [];
      for (const message of page) if (isMessage(message)) this.take(message);
      this.timeline = caughtUp(this.timeline);
    } while (page.length >= PAGE);
  }

  /** The server is there and all that was missed is here. */
  private reached(): void {
    const first = !this.live;
    this.live = true;
    this.freshToken = false;
    this.attempt = 0;
    this.status = "online";
    this.update(caughtUp(this.timeline));
    if (!first || this.timeline.unsent.length) return;
    const last = this.timeline.messages.at(-1);
    if (!last) return this.greetFirst();
    this.long = this.world.now() - Date.parse(last.at) > GREET_AGAIN_AFTER_MS;
  }

  /** `null`: only the messages tell. Once it is known who answers, the assistant may greet; not in a coach's talk. */
  private setOwner(owner: Owner | null): void {
    this.timers.clear("owner");
    const before = this.owner;
    this.heardOwner = true;
    this.presence.told = owner;
    if (this.owner.who !== before.who) this.setTyping(false); // that was the other one
    if (this.long && this.owner.who !== "coach") this.greetFirst();
    this.long = false;
    this.update(this.timeline);
  }

  private failed(error: unknown): void {
    if (!this.running) return;
    if (!(error instanceof Refused)) this.lost();
    else if (error.status === 401) return this.beginAgain();
    else if (error.status === 429) this.tooFast(error.message, error.retryAfterMs);
    else this.lost();
    this.retry(error instanceof Refused ? error.retryAfterMs : 0);
  }

  private lost(): void {
    this.status = "offline";
    this.update(this.timeline);
  }

  private retry(atLeastMs = 0): void {
    if (!this.running) return;
    const wait = Math.max(atLeastMs, backOff(this.attempt, this.world.random()));
    this.attempt += 1;
    this.timers.after("retry", wait, () => void this.connect());
  }

  /** The conversation is gone on the server. What was typed and not sent goes along; taps belong to what is gone. */
  private beginAgain(): void {
    this.keeper.forgetToken();
    if (this.freshToken) {
      this.lost(); // a brand-new token was refused too: do not turn in circles
      return this.retry();
    }
    this.live = false;
    this.presence.forget();
    this.notice = texts.newConversation;
    const typed = this.timeline.unsent.filter((out) => out.payload === undefined);
    this.update({ ...emptyTimeline, unsent: typed });
    void this.connect();
  }

  // --- hearing -------------------------------------------------------------------------------------------

  private hear(data: unknown): void {
    let event: Record<string, unknown>;
    try {
      event = JSON.parse(String(data)) as Record<string, unknown>;
    } catch {
      return; // not ours
    }
    if (event["type"] === "message" && isMessage(event)) {
      this.take(event);
      if (this.live && hasGap(this.timeline)) this.fillGapSoon();
    } else if (event["type"] === "typing") {
      this.setTyping(event["on"] === true);
    } else if (event["type"] === "owner") {
      const who = event["owner"] === "coach" || event["owner"] === "queue" ? event["owner"] : "bot";
      this.setOwner({ who, name: typeof event["name"] === "string" ? event["name"] : null });
    } else if (event["type"] === "session") {
      this.heardSession(event);
      this.reached();
      this.flush();
      this.presence.reconnected();
      if (!this.heardOwner) this.timers.after("owner", WAITS.owner, () => this.setOwner(BOT));
    } else if (event["type"] === "ack" && typeof event["id"] === "string" && Number.isInteger(event["seq"])) {
      const at = new Date(this.world.now()).toISOString();
      this.update(acknowledge(this.timeline, event["id"], event["seq"] as number, at));
    } else if (event["type"] === "error") {
      this.hearError(event);
    }
  }

  private hearError(event: Record<string, unknown>): void {
    const words = typeof event["message"] === "string" ? event["message"] : texts.unknownError;
    const id = typeof event["id"] === "string" ? event["id"] : null;
    if (event["error"] === "rate_limited") {
      if (id) this.inFlight.delete(id);
      this.tooFast(words, 0);
    } else if (id) {
      this.update(refuse(this.timeline, id, words));
    } else {
      this.notice = words;
    }
    this.update(this.timeline);
  }

  /** The server asks for a breath: say so, and go on by itself after it. */
  private tooFast(words: string, atLeastMs: number): void {
    this.notice = words;
    this.update(this.timeline);
    this.timers.after("tooFast", Math.max(WAITS.tooFast, atLeastMs), () => {
      this.notice = null;
      this.update(this.timeline);
      this.flush();
    });
  }

  private take(message: Message): void {
    const before = this.timeline;
    const isNew = !before.messages.some((other) => other.seq === message.seq);
    this.update(receive(before, message), this.live && isNew && message.role !== "user" ? [message] : []);
  }

  private fillGapSoon(): void {
    if (this.timers.has("gap")) return;
    this.timers.after("gap", WAITS.gap, () => {
      if (hasGap(this.timeline)) this.fetchNew().then(() => this.update(this.timeline), () => this.socket?.close());
    });
  }

  private setTyping(on: boolean): void {
    if (on) this.timers.after("typing", WAITS.typing, () => this.setTyping(false));
    else this.timers.clear("typing");
    if (on === this.typing) return;
    this.typing = on;
    this.update(this.timeline);
  }

  // --- small things --------------------------------------------------------------------------------------

  private update(timeline: Timeline, news: readonly Message[] = []): void {
    if (!this.running) return; // after "Snel sluiten" nothing may be written any more
    if (timeline.unsent !== this.timeline.unsent) this.keeper.saveUnsent(timeline.unsent);
    this.timeline = timeline;
    for (const id of this.inFlight) {
      if (!timeline.unsent.some((out) => out.id === id && !out.refused)) this.inFlight.delete(id);
    }
    if (this.socket && this.inFlight.size === 0) this.timers.clear("confirmation");
    this.changed(news);
  }

  private call(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> {
    return call(this.world, this.server, this.keeper.token(), method, path, body);
  }
}
