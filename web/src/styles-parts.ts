/** Room: web widget. What is inside the conversation: bubbles, choices, the scale, the chart, help lines. */

import { css } from "lit";

export const partStyles = css`
  .entry {
    display: flex;
    flex-direction: column;
    align-items: flex-start;
    gap: 8px;
    margin-top: 16px;
    scroll-margin: 12px;
  }

  .entry:first-child {
    margin-top: 0;
  }

  .entry.again {
    margin-top: 8px;
  }

  .bubble {
    max-width: min(88%, 34em);
    padding: 10px 15px;
    border: 1px solid var(--line);
    border-radius: 20px 20px 20px 6px;
    background: var(--sheet);
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    unicode-bidi: plaintext;
  }

  .again > .bubble:first-of-type {
    border-top-left-radius: 6px;
  }

  .user {
    align-items: flex-end;
  }

  .user > .bubble {
    border-color: transparent;
    border-radius: 20px 20px 6px 20px;
    background: var(--mine);
    color: var(--on-mine);
  }

  .user:focus-visible > .bubble {
    outline: 3px solid var(--teal);
    outline-offset: 2px;
  }

  .system {
    align-items: center;
  }

  .system > .bubble {
    border: 0;
    background: none;
    color: var(--quiet);
    font-size: 0.9375em;
    text-align: center;
  }

  .fate {
    color: var(--quiet);
    font-size: 0.875em;
  }

  .choices {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    padding-top: 4px;
  }

  .choice {
    min-height: 44px;
    padding: 8px 16px;
    border: 1.5px solid var(--teal);
    border-radius: 22px;
    background: var(--sheet);
    color: var(--teal-deep);
    font-weight: 550;
    line-height: 1.3;
    text-align: start;
  }

  @media (hover: hover) {
    .choice:hover,
    .scale-value:not([aria-checked="true"]):hover {
      background: var(--mist);
    }
  }

  ademruimte-select,
  ademruimte-scale {
    display: block;
    width: 100%;
  }

  .select {
    display: grid;
    gap: 6px;
    max-width: 30em;
    padding-top: 4px;
  }

  /* The way on stays in sight, however long the list is; -14px: over the log's own padding. */
  .select .choices {
    position: sticky;
    bottom: -14px;
    padding: 6px 0 10px;
    background: var(--paper);
  }

  .select .choice:not(.done) {
    border-color: var(--edge);
    color: var(--ink);
  }

  .select .done:not(:disabled) {
    background: var(--teal);
    color: var(--on-teal);
  }

  .tick {
    display: flex;
    align-items: center;
    gap: 12px;
    min-height: 44px;
    padding: 6px 14px;
    border: 1.5px solid var(--edge);
    border-radius: 14px;
    line-height: 1.3;
    background: var(--sheet);
    cursor: pointer;
  }

  .tick:has(input:checked) {
    border-color: var(--teal);
    background: var(--mist);
  }

  .tick input {
    flex: none;
    width: 20px;
    height: 20px;
    accent-color: var(--teal);
    scroll-margin: 24px 0 84px; /* not behind what stays in sight */
  }

  .choice:disabled {
    border-color: var(--edge);
    color: var(--quiet);
    cursor: default;
  }

  .scale {
    max-width: 40em;
    padding-top: 4px;
  }

  .scale-ends {
    display: flex;
    justify-content: space-between;
    margin-bottom: 6px;
    color: var(--quiet);
    font-size: 0.9375em;
  }

  .scale-values {
    display: grid;
    grid-template-columns: repeat(6, minmax(0, 1fr));
    gap: 6px;
  }

  .scale-value {
    min-height: 48px;
    padding: 0;
    border: 1.5px solid var(--teal);
    border-radius: 14px;
    background: var(--sheet);
    color: var(--teal-deep);
    font-weight: 600;
    font-variant-numeric: tabular-nums;
  }

  .scale-value[aria-checked="true"] {
    border-color: var(--teal);
    background: var(--teal);
    color: var(--on-teal);
  }

  .scale-foot {
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 12px;
    margin-top: 10px;
  }

  .scale-foot .quiet {
    line-height: 1.4;
  }

  @media (hover: none), (pointer: coarse) {
    .keys {
      display: none;
    }
  }

  .scale-foot .choice {
    flex: none;
    border-color: var(--edge);
    color: var(--ink);
  }

  @container (min-width: 520px) {
    .scale-values {
      grid-template-columns: repeat(11, minmax(0, 1fr));
    }
  }

  .card {
    width: 100%;
    padding: 16px;
    border: 1px solid var(--line);
    border-radius: 20px;
    background: var(--sheet);
  }

  h3 {
    font-size: 1.0625em;
    font-weight: 650;
    line-height: 1.3;
  }

  .bars {
    display: grid;
    gap: 14px;
    margin-top: 14px;
  }

  .bar-words {
    display: flex;
    align-items: baseline;
    justify-content: space-between;
    gap: 12px;
    font-size: 0.9375em;
    line-height: 1.35;
  }

  .bar-value {
    flex: none;
    color: var(--quiet);
  }

  .bar-value strong {
    color: var(--ink);
    font-weight: 650;
    font-variant-numeric: tabular-nums;
  }

  svg {
    display: block;
    overflow: visible;
  }

  .bar-drawing {
    margin-top: 2px;
  }

  .band {
    fill: var(--sand);
    stroke: var(--sheet);
    stroke-width: 2;
  }

  .band.worrying {
    fill: var(--warm);
  }

  .value {
    fill: var(--teal);
  }

  .alert .value {
    fill: var(--warm-ink);
  }

  .norm {
    stroke: var(--ink);
    stroke-width: 2.5;
  }

  .previous {
    fill: var(--sheet);
    stroke: var(--ink);
    stroke-width: 2;
  }

  .bar-note {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 8px;
    line-height: 1.35;
  }

  .flag {
    color: var(--warm-ink);
    font-weight: 600;
  }

  .legend {
    display: flex;
    flex-wrap: wrap;
    gap: 6px 18px;
    margin-top: 16px;
    padding-top: 12px;
    border-top: 1px solid var(--line);
  }

  .legend li {
    display: flex;
    align-items: center;
    gap: 8px;
  }

  .legend svg {
    flex: none;
  }

  .caption {
    margin-top: 10px;
    line-height: 1.45;
  }

  details {
    margin-top: 10px;
  }

  summary {
    display: inline-flex;
    align-items: center;
    min-height: 44px;
    color: var(--teal-deep);
    font-weight: 550;
    text-decoration: underline;
    text-underline-offset: 3px;
  }

  .table-scroll {
    overflow-x: auto;
  }

  table {
    width: 100%;
    border-collapse: collapse;
    font-size: 0.875em;
    line-height: 1.35;
  }

  th,
  td {
    padding: 8px 10px 8px 0;
    border-bottom: 1px solid var(--line);
    text-align: start;
    vertical-align: top;
    font-weight: 400;
  }

  thead th {
    color: var(--quiet);
  }

  tbody th {
    min-width: 7em;
    font-weight: 550;
  }

  .lines {
    display: grid;
    gap: 10px;
    margin-top: 14px;
  }

  .line {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 8px 12px;
    padding: 12px 12px 14px 16px;
    border: 1px solid var(--line);
    border-radius: 18px;
    background: var(--sheet);
    line-height: 1.4;
  }

  .card .line {
    padding: 10px 0 0;
    border-width: 1px 0 0;
    border-radius: 0;
  }

  .line.urgent {
    border-color: var(--warm-line);
  }

  .line-words {
    flex: 1 1 100%;
    order: 1;
    max-width: 34em;
  }

  .line p {
    font-size: 0.9375em;
  }

  .opens {
    color: var(--quiet);
    font-weight: 650;
  }

  .opens.now {
    color: var(--teal-deep);
  }

  .opens.now::before {
    content: "";
    display: inline-block;
    width: 0.6em;
    height: 0.6em;
    margin-inline-end: 0.45em;
    border-radius: 50%;
    background: currentColor;
  }

  h4 {
    flex: 1 1 min-content; /* a name with a long word puts the number below it */
    font-weight: 650;
  }

  .line a:not(.call) {
    color: var(--teal-deep);
  }

  .call {
    display: inline-flex;
    align-items: center;
    gap: 8px;
    min-height: 48px;
    padding: 8px 18px 8px 14px;
    border: 1.5px solid transparent;
    border-radius: 24px;
    background: var(--teal);
    color: var(--on-teal);
    font-weight: 650;
    font-variant-numeric: tabular-nums;
    text-decoration: none;
    white-space: nowrap;
  }

  @media (max-width: 359px) {
    .call {
      gap: 6px;
      padding-inline: 10px 12px;
    }
  }

  .urgent .call {
    background: var(--warm-ink);
    color: var(--sheet);
  }

  .call:hover {
    text-decoration: underline;
    text-underline-offset: 3px;
  }

  .help {
    padding: 6px 16px 20px;
  }

  .help h3 {
    margin-top: 2px;
    font-size: 1.375em;
    letter-spacing: -0.01em;
  }

  .help > p {
    margin-top: 8px;
    max-width: 36em;
  }

  .help .back {
    margin-left: -8px;
    color: var(--teal-deep);
    font-weight: 550;
  }

  .danger {
    font-weight: 650;
  }

  .regions {
    display: flex;
    gap: 4px;
    margin-top: 16px;
    padding: 4px;
    border-radius: 18px;
    background: var(--sand);
  }

  .regions button {
    flex: 1;
    min-height: 44px;
    padding: 6px 10px;
    border: 1.5px solid transparent;
    border-radius: 14px;
    background: none;
    font-size: 0.9375em;
    line-height: 1.2;
  }

  .regions [aria-pressed="true"] {
    border-color: var(--teal);
    background: var(--sheet);
    font-weight: 650;
  }

  .typing {
    display: inline-flex;
    align-items: center;
    gap: 6px;
    margin-top: 12px;
    padding: 14px 16px;
    border: 1px solid var(--line);
    border-radius: 20px 20px 20px 6px;
    background: var(--sheet);
  }

  .typing i {
    width: 8px;
    height: 8px;
    border-radius: 50%;
    background: var(--quiet);
    animation: breathe 2.4s ease-in-out infinite;
  }

  .typing span {
    margin-left: 4px;
    color: var(--quiet);
    font-size: 0.875em;
    line-height: 1;
  }

  .typing i:nth-of-type(2) {
    animation-delay: 0.3s;
  }

  .typing i:nth-of-type(3) {
    animation-delay: 0.6s;
  }

  @keyframes breathe {
    0%,
    100% {
      opacity: 0.25;
      transform: scale(0.8);
    }

    50% {
      opacity: 1;
      transform: scale(1);
    }
  }

  @media (prefers-reduced-motion: reduce) {
    .typing i {
      animation: none;
    }
  }

  @media (forced-colors: active) {
    .band {
      fill: Canvas;
      stroke: GrayText;
    }

    .value,
    .alert .value {
      fill: Highlight;
    }

    .norm,
    .previous {
      stroke: CanvasText;
    }

    .bubble,
    .call,
    .user > .bubble {
      border: 1px solid CanvasText;
    }

    .scale-value[aria-checked="true"],
    .regions [aria-pressed="true"] {
      forced-color-adjust: none;
      background: Highlight;
      color: HighlightText;
    }
  }
`;
