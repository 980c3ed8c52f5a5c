/** Room: web widget. A human on the other side looks different from the program; the return code and its field. */

import { css } from "lit";

export const coachStyles = css`
  .author {
    margin-bottom: -4px;
    padding: 0 4px;
    color: var(--quiet);
    font-size: 0.8125em;
    font-weight: 650;
    line-height: 1.35;
  }

  .coach > .author,
  .who.coach p {
    color: var(--coach-ink);
  }

  .who p {
    text-wrap: balance;
  }

  .who.coach p {
    font-weight: 650;
  }

  .coach > .bubble,
  .typing.coach {
    border-color: var(--coach-line);
    background: var(--coach);
  }

  .person {
    fill: var(--coach-ink);
  }

  .person-ground {
    fill: var(--coach);
    stroke: var(--coach-line);
  }

  .to-assistant {
    flex: none;
    padding: 8px 16px;
    border-top: 1px solid var(--line);
    background: var(--sheet);
  }

  .to-assistant + .composer {
    padding-top: 4px;
    border-top: 0;
  }

  .to-assistant .choice {
    min-height: 48px;
    border-color: var(--edge);
    border-radius: 24px;
    color: var(--ink);
    font-size: 0.9375em;
  }

  .door {
    flex: none;
    display: flex;
    justify-content: flex-end;
    padding: 0 16px;
    border-bottom: 1px solid var(--line);
  }

  .with-code {
    flex: none;
    justify-content: center;
    min-width: 44px;
    color: var(--quiet);
    font-size: 0.875em;
  }

  .who .with-code {
    margin-right: -12px;
  }

  .door .with-code {
    margin-right: -8px;
  }

  .code p {
    margin-top: 8px;
  }

  .code .choices {
    padding-top: 12px;
  }

  .digits {
    margin-top: 12px;
    padding: 12px 0;
    border-radius: 14px;
    background: var(--sand);
    font-size: clamp(1.25em, 7.2cqi, 1.75em);
    font-weight: 650;
    font-variant-numeric: tabular-nums;
    line-height: 1.4;
    text-align: center;
    word-spacing: 0.15em;
    user-select: text;
  }

  .digits span {
    display: inline-block;
    white-space: nowrap;
  }

  .said:empty,
  .problem:empty {
    display: none;
  }

  .said {
    font-weight: 550;
  }

  .code-entry form {
    display: grid;
    gap: 6px;
    max-width: 24em;
    margin-top: 20px;
  }

  .code-entry label {
    font-weight: 650;
  }

  input[type="text"] {
    width: 100%;
    min-height: 56px;
    padding: 8px 14px;
    border: 1.5px solid var(--edge);
    border-radius: 14px;
    background: var(--sheet);
    font-size: 1.375em;
    font-variant-numeric: tabular-nums;
    letter-spacing: 0.02em;
  }

  input[aria-invalid="true"] {
    border-color: var(--warm-ink);
  }

  .problem {
    color: var(--warm-ink);
    font-weight: 550;
    line-height: 1.4;
  }

  .primary {
    justify-self: start;
    min-height: 48px;
    margin-top: 8px;
    padding: 10px 22px;
    border: 1.5px solid transparent;
    border-radius: 24px;
    background: var(--teal);
    color: var(--on-teal);
    font-weight: 650;
  }

  .primary:hover {
    background: var(--teal-deep);
  }

  [aria-disabled="true"] {
    opacity: 0.6;
    cursor: default;
  }

  .entry-question {
    margin-top: 20px;
  }

  .entry-question .choices {
    padding-top: 12px;
  }

  #entry-question:focus {
    outline: none;
  }

  @media (max-width: 480px) {
    .to-assistant,
    .door {
      padding-left: 12px;
      padding-right: 12px;
    }
  }

  @media (max-width: 360px) {
    .who {
      gap: 8px;
    }
  }

  @media (max-height: 520px) {
    .to-assistant {
      padding-top: 4px;
      padding-bottom: 0;
    }
  }

  @media (forced-colors: active) {
    .person {
      fill: CanvasText;
    }

    .person-ground {
      fill: Canvas;
    }

    .primary {
      border-color: ButtonText;
    }
  }
`;
