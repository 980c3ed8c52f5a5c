/**
 * Room: web widget. One self-contained module, no chunks, no assets beside it; the help lines of resources/
 * are read and checked here and become part of the file.
 */
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { defineConfig } from "vite";
import { parse } from "yaml";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const HELP_LINES = here("../resources/help_lines/");
const SHOWN = ["id", "name", "number", "tel", "what", "hours", "url", "urgent"];
const NEEDED = ["id", "name", "what"];

/** All regions, Flanders first; throws with every mistake in every file. */
function readRegions() {
  const mistakes = [];
  const regions = readdirSync(HELP_LINES)
    .filter((name) => name.endsWith(".yml"))
    .sort()
    .map((name) => {
      const { id, region, lines = [] } = parse(readFileSync(HELP_LINES + name, "utf8"));
      if (!id || !region || !lines.length) mistakes.push(`${name}: id, region or lines missing`);
      for (const line of lines) {
        for (const key of NEEDED) if (typeof line[key] !== "string") mistakes.push(`${name}: ${line.id}: ${key}`);
        const called = typeof line.number === "string" && /^tel:\+?[0-9]{2,15}$/.test(line.tel);
        const visited = !("number" in line || "tel" in line) && /^https:/.test(line.url);
        if (!called && !visited) mistakes.push(`${name}: ${line.id}: no number that can be dialled, nor a site alone`);
      }
      const shown = lines.map((line) =>
        Object.fromEntries(SHOWN.filter((key) => line[key]).map((key) => [key, line[key]])),
      );
      return { id, region, lines: shown };
    })
    .sort((a, b) => Number(b.id === "vlaanderen") - Number(a.id === "vlaanderen"));
  if (mistakes.length || !regions.length) {
    throw new Error(`resources/help_lines cannot be used:\n  ${mistakes.join("\n  ") || "no files"}`);
  }
  return regions;
}

function helpLines() {
  const name = "virtual:help-lines";
  return {
    name: "ademruimte-help-lines",
    resolveId: (id) => (id === name ? `\0${name}` : null),
    load: (id) => (id === `\0${name}` ? `export default ${JSON.stringify(readRegions())}` : null),
  };
}

/** The desk's pages load htmx as it comes from its package. */
function htmx() {
  return {
    name: "ademruimte-htmx",
    writeBundle: ({ dir }) => copyFileSync(here("node_modules/htmx.org/dist/htmx.min.js"), `${dir}/htmx.min.js`),
  };
}

export default defineConfig({
  root: here("."),
  plugins: [helpLines(), htmx()],
  build: {
    outDir: here("../.ademruimte/web"),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    reportCompressedSize: false,
    rollupOptions: {
      input: here("src/ademruimte-chat.ts"),
      preserveEntrySignatures: false,
      output: { entryFileNames: "ademruimte-chat.js" },
    },
  },
});
