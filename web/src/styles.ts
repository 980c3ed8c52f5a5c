/** Room: web widget. Colours, type, the panel. Warm paper and soft teal; every text at least 4.5 to 1. */

import { css } from "lit";

export const styles = css`
  :host {
    all: initial;
    display: block;
    color-scheme: light dark;
    font: medium/1.5 ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
    color: var(--ink);
    -webkit-text-size-adjust: 100%;

    --paper: #faf7f2;
    --sheet: #ffffff;
    --line: #e3dcd0;
    --edge: #8b867b;
    --ink: #22312f;
    --quiet: #56645f;
    --teal: #1d6660;
    --teal-deep: #14504b;
    --on-teal: #ffffff;
    --mine: #1d6660;
    --on-mine: #ffffff;
    --mist: #e3efeb;
    --warm: #fbe9df;
    --warm-ink: #87320f;
    --warm-line: #dfa68b;
    --sand: #efe9de;
    --coach: #f0e7f3;
    --coach-ink: #5c2f70;
    --coach-line: #cbb4d6;
    --shade: rgb(40 60 56 / 18%);
  }

  @media (prefers-color-scheme: dark) {
    :host {
      --paper: #141d1c;
      --sheet: #1e2928;
      --line: #33423f;
      --edge: #7d8d88;
      --ink: #e7ece9;
      --quiet: #a9b7b2;
      --teal: #8fd0c4;
      --teal-deep: #b4e2d9;
      --on-teal: #0e2522;
      --mine: #2a5852;
      --on-mine: #eef6f3;
      --mist: #23403c;
      --warm: #45291d;
      --warm-ink: #ffc7ab;
      --warm-line: #8d583f;
      --sand: #2a3634;
      --coach: #382b42;
      --coach-ink: #e2cbf0;
      --coach-line: #6d5680;
      --shade: rgb(0 0 0 / 55%);
    }
  }

  :host([hidden]),
  [hidden] {
    display: none !important;
  }

  *,
  *::before,
  *::after {
    box-sizing: border-box;
  }

  h2,
  h3,
  h4,
  p,
  ol,
  ul {
    margin: 0;
    padding: 0;
    font: inherit;
    list-style: none;
  }

  button,
  input,
  textarea {
    font: inherit;
    color: inherit;
    margin: 0;
  }

  button,
  a,
  summary {
    cursor: pointer;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
  }

  :focus-visible {
    outline: 3px solid var(--teal);
    outline-offset: 2px;
  }

  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    margin: -1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }

  .quiet {
    color: var(--quiet);
    font-size: 0.875em;
  }

  .icon {
    width: 1.25em;
    height: 1.25em;
    flex: none;
    fill: none;
    stroke: currentColor;
    stroke-width: 2;
    stroke-linecap: round;
    stroke-linejoin: round;
  }

  .mark {
    width: 2.5em;
    height: 2.5em;
    flex: none;
    fill: var(--teal);
  }

  .mark-outer {
    opacity: 0.16;
  }

  .mark-middle {
    opacity: 0.3;
  }

  .launcher {
    position: fixed;
    z-index: 2147483000;
    right: max(20px, env(safe-area-inset-right));
    bottom: max(20px, env(safe-area-inset-bottom));
    display: flex;
    align-items: center;
    gap: 0.625em;
    min-height: 56px;
    padding: 0.5em 1.5em 0.5em 0.625em;
    border: 1px solid var(--line);
    border-radius: 999px;
    background: var(--sheet);
    font-weight: 600;
    box-shadow: 0 8px 30px var(--shade);
  }

  .launcher:hover {
    border-color: var(--teal);
  }

  .dot {
    position: absolute;
    top: 2px;
    left: 44px;
    width: 14px;
    height: 14px;
    border: 2px solid var(--sheet);
    border-radius: 50%;
    background: var(--warm-ink);
  }

  .panel {
    position: fixed;
    z-index: 2147483000;
    right: 20px;
    bottom: 20px;
    display: flex;
    flex-direction: column;
    width: min(430px, calc(100vw - 40px));
    height: min(760px, calc(100dvh - 40px));
    overflow: hidden;
    border: 1px solid var(--line);
    border-radius: 24px;
    background: var(--paper);
    box-shadow: 0 18px 60px var(--shade);
  }

  header {
    flex: none;
    padding: 14px 16px 12px;
    border-bottom: 1px solid var(--line);
    background: var(--sheet);
  }

  .who {
    display: flex;
    align-items: center;
    gap: 12px;
  }

  .who > div {
    flex: 1;
    min-width: 0;
  }

  h2 {
    font-size: 1.1875em;
    font-weight: 650;
    line-height: 1.25;
    letter-spacing: -0.01em;
  }

  h2:focus,
  h3:focus,
  .entry:focus {
    outline: none;
  }

  .who p {
    color: var(--quiet);
    font-size: 0.8125em;
    line-height: 1.35;
  }

  .plain {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-height: 44px;
    padding: 0 8px;
    border: 0;
    border-radius: 12px;
    background: none;
  }

  .minimise {
    justify-content: center;
    width: 44px;
    margin-right: -8px;
    color: var(--quiet);
  }

  .plain:hover {
    background: var(--sand);
  }

  .exits {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin-top: 12px;
  }

  .exits button {
    display: inline-flex;
    align-items: center;
    justify-content: center;
    flex: 1 1 auto;
    gap: 0.5em;
    min-height: 44px;
    padding: 0.25em 0.75em;
    border: 1px solid var(--edge);
    border-radius: 14px;
    background: none;
    font-size: 0.875em;
    font-weight: 600;
    line-height: 1.25;
  }

  .exits .help-button {
    flex-grow: 3;
    border-color: var(--warm-line);
    background: var(--warm);
    color: var(--warm-ink);
  }

  .exits button:hover {
    border-color: currentColor;
  }

  .conversation {
    display: flex;
    flex: 1;
    flex-direction: column;
    min-height: 0;
  }

  .log,
  .scroller {
    flex: 1;
    min-height: 0;
    overflow-y: auto;
    overscroll-behavior: contain;
    scrollbar-width: thin;
    scrollbar-color: var(--edge) transparent;
  }

  .log {
    position: relative;
    padding: 18px 16px 14px;
    container-type: inline-size;
  }

  .log:focus-visible,
  .scroller:focus-visible {
    outline-offset: -3px;
  }

  .newer {
    align-self: center;
    display: inline-flex;
    align-items: center;
    gap: 6px;
    min-height: 40px;
    margin-top: -48px;
    margin-bottom: 8px;
    padding: 0 16px 0 12px;
    border: 0;
    border-radius: 999px;
    background: var(--teal-deep);
    color: var(--on-teal);
    font-size: 0.875em;
    font-weight: 600;
    box-shadow: 0 4px 16px var(--shade);
    z-index: 1;
  }

  .newer.round {
    align-self: flex-end;
    justify-content: center;
    width: 44px;
    min-height: 44px;
    padding: 0;
    margin-top: -52px;
    margin-right: 12px;
    border: 1px solid var(--edge);
    background: var(--sheet);
    color: var(--ink);
  }

  .status p {
    padding: 10px 16px;
    border-top: 1px solid var(--line);
    background: var(--sand);
    font-size: 0.9375em;
    line-height: 1.4;
  }

  .composer {
    display: grid;
    grid-template-columns: 1fr auto;
    align-items: end;
    gap: 0 8px;
    flex: none;
    padding: 12px 16px max(12px, env(safe-area-inset-bottom));
    border-top: 1px solid var(--line);
    background: var(--sheet);
  }

  textarea {
    display: block;
    width: 100%;
    min-height: 48px;
    max-height: min(9.5em, 30vh);
    padding: 11px 16px;
    resize: none;
    border: 1px solid var(--edge);
    border-radius: 24px;
    background: var(--paper);
    line-height: 1.5;
    scrollbar-width: thin;
  }

  textarea::placeholder {
    color: var(--quiet);
    opacity: 1;
  }

  .send {
    display: grid;
    place-items: center;
    width: 48px;
    height: 48px;
    padding: 0;
    border: 1px solid transparent;
    border-radius: 50%;
    background: var(--teal);
    color: var(--on-teal);
  }

  .send:hover {
    background: var(--teal-deep);
  }

  .counter {
    grid-column: 1 / -1;
    padding: 0 16px;
  }

  .counter:not(:empty) {
    padding-top: 6px;
  }

  @media (max-width: 480px) {
    .panel {
      inset: var(--seen-top, 0) 0 auto;
      width: 100%;
      height: var(--seen-height, 100dvh);
      border: 0;
      border-radius: 0;
      box-shadow: none;
    }

    header,
    .composer,
    .log {
      padding-left: 12px;
      padding-right: 12px;
    }
  }

  /* Little height (phone on its side, 400% zoom): the words get the room. */
  @media (max-height: 520px) {
    .panel {
      right: 8px;
      bottom: 8px;
      width: min(640px, calc(100vw - 16px));
      height: calc(100dvh - 16px);
    }

    header {
      padding-top: 6px;
      padding-bottom: 6px;
    }

    .exits {
      margin-top: 4px;
    }

    header .mark {
      display: none;
    }

    .composer {
      padding-top: 6px;
      padding-bottom: 6px;
    }
  }

  @media (max-height: 520px) and (min-width: 560px) {
    header {
      display: flex;
      align-items: center;
      gap: 12px;
    }

    .who {
      flex: 1;
      min-width: 0;
    }

    .exits {
      flex-wrap: nowrap;
      margin: 0;
    }

    .exits button {
      padding: 0.25em 0.5em;
    }

    .exits .icon {
      display: none;
    }
  }

  @media (max-width: 360px) {
    .exits {
      gap: 6px;
    }

    .exits button {
      padding: 0.25em 0.5em;
    }

    .exits .icon {
      display: none;
    }

    header .mark {
      width: 2em;
      height: 2em;
    }
  }

  @media (max-height: 520px) and (max-width: 480px) {
    .panel {
      right: 0;
      bottom: auto;
      width: 100%;
      height: var(--seen-height, 100dvh);
    }
  }

  @media (forced-colors: active) {
    .mark,
    .icon {
      forced-color-adjust: auto;
    }

    .send,
    .newer {
      border: 1px solid ButtonText;
    }
  }
`;
