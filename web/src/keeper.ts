/**
 * Room: web widget. What this browser remembers: the token of the conversation, what was not sent yet, and when a
 * return code was last shown. The token stays in this tab until the person agreed to keeping; what was said and the
 * digits of a code are never stored here.
 */

import type { Outgoing } from "./messages.js";

const TOKEN = "ademruimte.token";
const UNSENT = "ademruimte.unsent";
/** Milliseconds since 1970: cards for a return code up to then have had theirs shown. */
const CODE_SHOWN = "ademruimte.code-shown";
/** Set when the token came by a return code: then this may be anybody's device, and the token never leaves the tab. */
const VISITING = "ademruimte.visiting";

/** The part of the Web Storage interface that is used. */
export type Drawer = Pick<Storage, "getItem" | "setItem" | "removeItem">;

function memoryDrawer(): Drawer {
  const values = new Map<string, string>();
  return {
    getItem: (key) => values.get(key) ?? null,
    setItem: (key, value) => void values.set(key, value),
    removeItem: (key) => void values.delete(key),
  };
}

/** A browser may forbid storage (private mode, policy); then the conversation lives as long as the page. */
function openDrawer(open: () => Drawer): Drawer {
  try {
    const drawer = open();
    drawer.setItem(`${TOKEN}.try`, "1");
    drawer.removeItem(`${TOKEN}.try`);
    return drawer;
  } catch {
    return memoryDrawer();
  }
}

export class Keeper {
  private readonly tab: Drawer;
  private readonly device: Drawer;

  constructor(
    tab: () => Drawer = () => window.sessionStorage,
    device: () => Drawer = () => window.localStorage,
  ) {
    this.tab = openDrawer(tab);
    this.device = openDrawer(device);
  }

  token(): string | null {
    return this.tab.getItem(TOKEN) ?? this.device.getItem(TOKEN);
  }

  /** True when the token is kept on this device, beyond this tab. */
  remembers(): boolean {
    return this.device.getItem(TOKEN) !== null;
  }

  saveToken(token: string): void {
    this.drawer().setItem(TOKEN, token);
  }

  /** Another conversation takes the place of what was here; its code has been seen before. */
  enter(token: string, now: number): void {
    this.clear();
    this.tab.setItem(VISITING, "1");
    this.tab.setItem(TOKEN, token);
    this.saveCodeShown(now);
  }

  /** Moves the token, and what belongs to it, to where the person's choice says it belongs. */
  setRemember(remember: boolean): void {
    const token = this.token();
    if (token === null || remember === this.remembers() || this.tab.getItem(VISITING)) return;
    const shown = this.codeShown();
    this.forgetToken();
    (remember ? this.device : this.tab).setItem(TOKEN, token);
    if (shown) this.saveCodeShown(shown);
  }

  /** Up to when (milliseconds since 1970) a code for this conversation was shown; 0 when never. */
  codeShown(): number {
    return Number(this.drawer().getItem(CODE_SHOWN)) || 0;
  }

  saveCodeShown(at: number): void {
    this.drawer().setItem(CODE_SHOWN, String(at));
  }

  unsent(): Outgoing[] {
    try {
      const stored: unknown = JSON.parse(this.tab.getItem(UNSENT) ?? "[]");
      return Array.isArray(stored) ? (stored as Outgoing[]) : [];
    } catch {
      return []; // written by something else, or cut off: nothing usable is in it
    }
  }

  saveUnsent(unsent: readonly Outgoing[]): void {
    const waiting = unsent.filter((out) => !out.refused);
    if (waiting.length) this.tab.setItem(UNSENT, JSON.stringify(waiting));
    else this.tab.removeItem(UNSENT);
  }

  forgetToken(): void {
    for (const key of [TOKEN, CODE_SHOWN, VISITING]) {
      this.tab.removeItem(key);
      this.device.removeItem(key);
    }
  }

  clear(): void {
    this.forgetToken();
    this.tab.removeItem(UNSENT);
  }

  private drawer(): Drawer {
    return this.tab.getItem(TOKEN) === null && this.remembers() ? this.device : this.tab;
  }
}
