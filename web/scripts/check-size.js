/** Prints how big the widget is and fails the build when it got too big, or is no longer one file. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const LIMIT_BYTES = 30_000; // gzipped; a phone on a ward's edge of reception still gets it at once
const OUT = fileURLToPath(new URL("../../.ademruimte/web/", import.meta.url));

const DESK = ["desk.js", "htmx.min.js"];
const scripts = readdirSync(OUT, { recursive: true }).filter((name) => /\.js$/.test(name) && !DESK.includes(name));
if (scripts.join() !== "ademruimte-chat.js") {
  console.error(`The widget must be one file, found: ${scripts.join(", ") || "none"}`);
  process.exit(1);
}
const code = readFileSync(`${OUT}ademruimte-chat.js`);
const size = gzipSync(code, { level: 9 }).length;
console.log(`ademruimte-chat.js: ${code.length} bytes, ${size} gzipped (limit ${LIMIT_BYTES})`);
if (size > LIMIT_BYTES) {
  console.error("The widget is too big.");
  process.exit(1);
}
