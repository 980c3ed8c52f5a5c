/**
 * Room: web widget. A return code as digits in groups of four, while it is typed and when it is shown. Pure functions;
 * no network, no DOM.
 */

/** Digits in a code. */
export const CODE_LENGTH = 16;
/** More is kept than a code has, so that somebody who typed a digit twice can see it. */
const KEPT = 20;

export function digitsOf(typed: string): string {
  return typed.replace(/[^0-9]/g, "").slice(0, KEPT);
}

/** "12345" becomes "1234 5". */
export function grouped(digits: string): string {
  return (digits.match(/.{1,4}/g) ?? []).join(" ");
}

/** What the field shows for what was typed or pasted, and where the caret comes: behind the same digit as before. */
export function tidied(typed: string, caret: number): { shown: string; caret: number } {
  const digits = digitsOf(typed);
  const before = Math.min(digits.length, typed.slice(0, caret).replace(/[^0-9]/g, "").length);
  return { shown: grouped(digits), caret: grouped(digits.slice(0, before)).length };
}

/** Two lots of two groups, for one line or two of the same length. */
export function halves(code: string): string[] {
  return grouped(digitsOf(code)).match(/[0-9]+ ?[0-9]*/g) ?? [];
}

/** Digit by digit, for people who listen: "1 2 3 4, 5 6 7 8". */
export function spelled(code: string): string {
  return grouped(digitsOf(code)).replace(/ /g, ",").replace(/[0-9](?=[0-9])|,/g, "$& ");
}

/** A wait in words; at least one second. */
export function waitInWords(ms: number): string {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  if (seconds === 1) return "1 seconde";
  return seconds <= 90 ? `${seconds} seconden` : `${Math.ceil(seconds / 60)} minuten`;
}
