/**
 * Room: web widget. The message model as it travels over the chat API (docs/api.md), as types.
 * Knows nothing of the network or of how a part is drawn.
 */

export interface Choice {
  title: string;
  payload: string;
}

export interface TextPart {
  type: "text";
  text: string;
}

export interface QuickRepliesPart {
  type: "quick_replies";
  choices: Choice[];
}

/** A question answered on a scale; `$value` in `payload` is replaced by the number. */
export interface ScalePart {
  type: "scale";
  item: string;
  min: number;
  max: number;
  min_label: string;
  max_label: string;
  payload: string;
  skip_payload: string | null;
}

/** One thing to tick; one that is `alone` unticks the others. */
export interface Option {
  code: string;
  title: string;
  alone: boolean;
}

/** A question with several answers; `$codes` in `payload` is replaced by the JSON list of ticked codes. */
export interface MultiSelectPart {
  type: "multi_select";
  item: string;
  options: Option[];
  payload: string;
  skip_payload: string;
}

export interface Band {
  id: string;
  label: string;
  from: number;
  to: number;
}

export interface Bar {
  item: string;
  label: string;
  value: number | null;
  band: string | null;
  /** Which end of the scale is the worrying one. */
  concern: "high" | "low";
  alert: boolean;
  norm: { mean: number; sd: number; n: number | null } | null;
  previous: number | null;
}

export interface ChartPart {
  type: "chart";
  title: string;
  caption: string;
  min: number;
  max: number;
  bands: Band[];
  norm_label: string | null;
  bars: Bar[];
}

export interface HelpLine {
  id: string;
  name: string;
  /** Absent or null when no source gives it: then there is a `url`. */
  number?: string | null;
  tel?: string | null;
  what: string;
  hours?: string | null;
  /** Whether someone answered when the message was made; null when that is not known, absent in the help panel. */
  open_now?: boolean | null;
  /** The same in words. */
  opens?: string | null;
  url?: string | null;
  urgent?: boolean;
}

export interface HelpLinesPart {
  type: "help_lines";
  title: string;
  lines: HelpLine[];
}

/** The place where a person can have a return code shown, once. The code itself is never in a message. */
export interface ReturnCodePart {
  type: "return_code";
}

export type Part =
  | TextPart
  | QuickRepliesPart
  | ScalePart
  | MultiSelectPart
  | ChartPart
  | HelpLinesPart
  | ReturnCodePart;
export type Role = "user" | "bot" | "system" | "coach";

/** The payload that ends the talk with a coach. */
export const BACK_TO_ASSISTANT = "/back_to_assistant";

/** Who answers now; `queue`: a coach was asked for, and until one comes the bot answers. */
export interface Owner {
  who: "bot" | "queue" | "coach";
  /** The coach's name, perhaps with their role; null when it is not known. */
  name: string | null;
}

export interface Message {
  seq: number;
  role: Role;
  at: string;
  id?: string;
  /** Name and role; on messages of a coach. */
  author?: string;
  parts: Part[];
}

export interface HelpRegion {
  id: string;
  region: string;
  lines: HelpLine[];
}

/** What the person said and the server has not confirmed yet. */
export interface Outgoing {
  id: string;
  /** What the person typed, or the title of what they tapped. */
  text: string;
  /** Set for a tapped choice. */
  payload?: string;
  /** Why the server refused it, in plain words; such a message is not sent again. */
  refused?: string;
}

/** True when the value looks like a message of the chat API. Unknown part types are allowed and not drawn. */
export function isMessage(value: unknown): value is Message {
  if (typeof value !== "object" || value === null) return false;
  const message = value as Partial<Message>;
  return Number.isInteger(message.seq) && typeof message.role === "string" && Array.isArray(message.parts);
}
