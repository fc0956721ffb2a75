/**
 * Writes what repeats the list of settings: the tables in tasks/README.md and `.env.example`. Run it in the project's folder
 * after each change of the list:
 *
 *   deno run --allow-read=tasks --allow-write=tasks/README.md,.env.example tasks/settings/write_tables.ts
 */

import { aboutOf, presetsOf } from "./help.ts";
import { GROUPS, type Key, KEYS, settingOf } from "./settings.ts";

/** The lines of tasks/README.md between which the tables stand. */
const MARKS = ["<!-- settings: written by tasks/settings/write_tables.ts -->", "<!-- end of settings -->"];

/** tasks/README.md with the tables of the settings as they are now. */
export function withTables(readme: string): string {
  const [start, end] = MARKS.map((mark) => readme.indexOf(mark));
  if (start < 0 || end < start) throw new SyntaxError(`tasks/README.md lacks the lines ${MARKS.join(" and ")}`);
  const tables = Object.entries(GROUPS).map(([group, title]) => {
    const keys = KEYS.filter((key) => settingOf(key).group === group);
    return `### ${title}\n\n${tableOf(keys)}\n\n`;
  });
  return `${readme.slice(0, start)}${MARKS[0]}\n\n${tables.join("")}${readme.slice(end)}`;
}

/** `.env.example`: a comment and a line for each setting. */
export function envExample(): string {
  const settings = KEYS.map((key) => {
    const presets = presetsOf(key);
    return `# ${aboutOf(key)}${presets && ` (${presets})`}\n# ${key}=${settingOf(key).default}\n`;
  });
  const head =
    "# Copy this to .env and remove the # before the settings that you need. A flag of a task, or a variable of the\n" +
    "# environment, comes first. Each line shows the default; in parentheses are defaults that differ: of recipes, and with DATA.\n";
  return [head, ...settings].join("\n");
}

function tableOf(keys: readonly Key[]): string {
  const rows = keys.map((key) => {
    const preset = settingOf(key).default;
    const presets = presetsOf(key);
    return [`\`${key}\``, preset && `\`${preset}\``, aboutOf(key) + (presets && ` (${presets})`)];
  });
  const all = [["setting", "default", "meaning"], ...rows];
  const widths = [0, 1, 2].map((column) => Math.max(...all.map((row) => row[column].length)));
  const [head, ...lines] = all.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i])).join(" | ")} |`);
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...lines].join("\n");
}

if (import.meta.main) {
  Deno.writeTextFileSync("tasks/README.md", withTables(Deno.readTextFileSync("tasks/README.md")));
  Deno.writeTextFileSync(".env.example", envExample());
}
