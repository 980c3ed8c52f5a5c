/**
 * Room: web widget. What this browser remembers: the token of the conversation and what was not sent yet.
 * The token stays in this tab until the person agreed to keeping; what was said is never stored here.
 */

import type { Outgoing } from "./messages.js";

const TOKEN = "ademruimte.token";
const UNSENT = "ademruimte.unsent";

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
    (this.remembers() ? this.device : this.tab).setItem(TOKEN, token);
  }

  /** Moves the token to where the person's choice says it belongs. */
  setRemember(remember: boolean): void {
    const token = this.token();
    if (token === null || remember === this.remembers()) return;
    this.tab.removeItem(TOKEN);
    this.device.removeItem(TOKEN);
    (remember ? this.device : this.tab).setItem(TOKEN, token);
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
    this.tab.removeItem(TOKEN);
    this.device.removeItem(TOKEN);
  }

  clear(): void {
    this.forgetToken();
    this.tab.removeItem(UNSENT);
  }
}
