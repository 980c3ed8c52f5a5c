/** The help lines, read from resources/help_lines by vite.config.js at build time. */
declare module "virtual:help-lines" {
  import type { HelpRegion } from "./messages.js";
  const regions: readonly HelpRegion[];
  export default regions;
}
