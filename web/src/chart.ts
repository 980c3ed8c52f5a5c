/**
 * Room: web widget. The result: one bar per item with the bands behind it, the norm and the previous score,
 * in words for people who listen, and the same figures as a table. Positions are percentages of the scale.
 */

import { html, nothing, svg, type TemplateResult } from "lit";

import type { Band, Bar, ChartPart } from "./messages.js";
import { texts } from "./texts.js";

const decimal = new Intl.NumberFormat("nl-BE", { maximumFractionDigits: 1 });

const bandOf = (chart: ChartPart, bar: Bar): Band | undefined => chart.bands.find((band) => band.id === bar.band);

/** The band in which a score is worrying: the top one, or the bottom one where a low score is the worry. */
function worryingBand(chart: ChartPart, bar: Bar): Band | undefined {
  const ordered = [...chart.bands].sort((a, b) => a.from - b.from);
  return bar.concern === "low" ? ordered[0] : ordered.at(-1);
}

/** Everything the picture shows, as one sentence. */
export function inWords(chart: ChartPart, bar: Bar): string {
  if (bar.value === null) return `${bar.label}: ${texts.chartSkipped.toLowerCase()}`;
  const parts = [texts.chartValue(bar.value, chart.max), bandOf(chart, bar)?.label];
  if (bar.alert) parts.push(texts.chartAlert);
  if (bar.norm) parts.push(texts.chartNorm(decimal.format(bar.norm.mean)));
  if (bar.previous !== null) parts.push(texts.chartPrevious(bar.previous));
  const words = `${bar.label}: ${parts.filter(Boolean).join(", ")}.`;
  return bar.concern === "low" ? `${words} ${texts.chartLowerIsConcern}` : words;
}

function renderBar(chart: ChartPart, bar: Bar): TemplateResult {
  const span = chart.max - chart.min || 1;
  const at = (value: number) => `${(Math.min(Math.max(value - chart.min, 0), span) / span) * 100}%`;
  const worrying = worryingBand(chart, bar);
  const band = bandOf(chart, bar);
  // Bands are whole numbers (0–3, 4–6, 7–10): on the line they meet half-way.
  const edge = (value: number) => (value <= chart.min || value >= chart.max ? value : value - 0.5);
  const shade = (one: Band) => {
    const from = edge(one.from);
    const to = one.to >= chart.max ? chart.max : one.to + 0.5;
    const kind = one === worrying ? "band worrying" : "band";
    return svg`<rect class=${kind} x=${at(from)} y="4" width=${`${((to - from) / span) * 100}%`} height="16" />`;
  };
  return html`<li class="bar ${bar.alert ? "alert" : ""}">
    <div class="bar-words" aria-hidden="true">
      <span class="bar-label">${bar.label}</span>
      <span class="bar-value">
        ${bar.value === null
          ? html`<span class="quiet">${texts.chartSkipped}</span>`
          : html`<strong>${bar.value}</strong> ${band?.label ?? ""}`}
      </span>
    </div>
    <svg class="bar-drawing" role="img" aria-label=${inWords(chart, bar)} width="100%" height="24">
      ${chart.bands.map(shade)}
      ${bar.value === null
        ? nothing
        : svg`<rect class="value" x="0" y="8" width=${at(bar.value)} height="8" rx="4" />
            <circle class="value" cx=${at(bar.value)} cy="12" r="5" />`}
      ${bar.previous === null
        ? nothing
        : svg`<circle class="previous" cx=${at(bar.previous)} cy="12" r="5" />`}
      ${bar.norm
        ? svg`<line class="norm" x1=${at(bar.norm.mean)} x2=${at(bar.norm.mean)} y1="0" y2="24" />`
        : nothing}
    </svg>
    ${bar.alert || bar.concern === "low"
      ? html`<p class="bar-note quiet" aria-hidden="true">
          ${bar.alert ? html`<span class="flag">${texts.chartAlert}</span>` : nothing}
          ${bar.concern === "low" ? texts.chartLowerIsConcern : nothing}
        </p>`
      : nothing}
  </li>`;
}

function renderLegend(chart: ChartPart): TemplateResult {
  const key = (drawing: TemplateResult, words: string) =>
    html`<li><svg width="22" height="16" aria-hidden="true" focusable="false">${drawing}</svg>${words}</li>`;
  return html`<ul class="legend quiet" role="list">
    ${key(
      svg`<rect class="value" x="0" y="4" width="16" height="8" rx="4" /><circle class="value" cx="15" cy="8" r="5" />`,
      texts.legendValue,
    )}
    ${chart.norm_label && chart.bars.some((bar) => bar.norm)
      ? key(svg`<line class="norm" x1="11" x2="11" y1="0" y2="16" />`, chart.norm_label)
      : nothing}
    ${chart.bars.some((bar) => bar.previous !== null)
      ? key(svg`<circle class="previous" cx="11" cy="8" r="5" />`, texts.legendPrevious)
      : nothing}
    ${chart.bands.length
      ? key(svg`<rect class="band worrying" x="0" y="1" width="22" height="14" />`, texts.legendConcern)
      : nothing}
  </ul>`;
}

function renderTable(chart: ChartPart): TemplateResult {
  const withNorm = chart.bars.some((bar) => bar.norm);
  const withPrevious = chart.bars.some((bar) => bar.previous !== null);
  const cell = (words: string | number | null | undefined) => html`<td>${words ?? texts.tableNone}</td>`;
  return html`<details>
    <summary>${texts.table}</summary>
    <div class="table-scroll" role="region" tabindex="0" aria-label=${texts.tableScroll}>
      <table>
        <caption class="hidden">${chart.title}</caption>
        <thead>
          <tr>
            <th scope="col">${texts.tableItem}</th>
            <th scope="col">${texts.tableValue}</th>
            <th scope="col">${texts.tableBand}</th>
            ${withNorm ? html`<th scope="col">${texts.tableNorm}</th>` : nothing}
            ${withPrevious ? html`<th scope="col">${texts.tablePrevious}</th>` : nothing}
          </tr>
        </thead>
        <tbody>
          ${chart.bars.map(
            (bar) =>
              html`<tr>
                <th scope="row">${bar.label}</th>
                ${cell(bar.value ?? texts.chartSkipped.toLowerCase())}
                ${cell([bandOf(chart, bar)?.label, bar.alert ? texts.chartAlert : ""].filter(Boolean).join(", ") || null)}
                ${withNorm ? cell(bar.norm ? decimal.format(bar.norm.mean) : null) : nothing}
                ${withPrevious ? cell(bar.previous) : nothing}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
  </details>`;
}

export function renderChart(chart: ChartPart): TemplateResult {
  return html`<section class="card chart" role="group" aria-label=${chart.title}>
    <h3>${chart.title}</h3>
    <ul class="bars" role="list">
      ${chart.bars.map((bar) => renderBar(chart, bar))}
    </ul>
    ${renderLegend(chart)}
    ${chart.caption ? html`<p class="quiet caption">${chart.caption}</p>` : nothing}
    ${renderTable(chart)}
  </section>`;
}
