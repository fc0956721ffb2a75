/** The help of the tasks, and the files that repeat the list of settings. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse as parseDotenv } from "@std/dotenv/parse";
import { type HelpOptions, usage } from "../../../tasks/settings/help.ts";
import { flagOf, KEYS, keysOf, settingOf, SETTINGS, type TaskName } from "../../../tasks/settings/settings.ts";
import { TASKS } from "../../../tasks/settings/task_list.ts";
import { envExample, withTables } from "../../../tasks/settings/write_tables.ts";
import { readTasks } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const root = new URL("../../../", import.meta.url);
const NAMES = Object.keys(TASKS) as TaskName[];

/** The flags that a task's help lists, in its order. */
function flagsIn(name: TaskName, options?: HelpOptions): string[] {
  return [...usage(name, options).matchAll(/^ {2}(--[a-z-]+)/gm)].map(([_, flag]) => flag);
}

function flagsOf(name: TaskName): string[] {
  return [...keysOf(name), ...Object.keys(TASKS[name].extras ?? {})].map(flagOf);
}

Deno.test("usage() fits a screen: what the task does, examples, and everyday flags by group, one line each", () => {
  for (const name of NAMES) {
    const lines = usage(name).split("\n");
    assert(lines.length <= 45, `${name}: ${lines.length} lines`);
    for (const line of lines) assert(line.length <= 100, `${name}: ${line}`);
    assertEquals(lines[0], `deno task ${name}: ${TASKS[name].summary}`);
    assert(name === "doctor" || TASKS[name].examples.length === 3, name);
    for (const example of TASKS[name].examples) assertStringIncludes(usage(name), `deno task ${example}\n`.trim());
    const listed = lines.filter((line) => /^ {2}--/.test(line)).length;
    const title = /^(Data|Network|Training|Search|Ranks|Run|View)( \(.*\))?$/;
    const titles = lines.filter((line) => title.test(line)).length;
    const rest = lines.length - listed - titles - TASKS[name].examples.length;
    assert(rest <= 6, `${name}: a flag takes more than a line`);
  }
  assertStringIncludes(usage("tune"), "\nView (3 flags with --help --all)\n");
  assertStringIncludes(usage("train"), "\nNetwork (4 more with --help --all)\n  --hidden-size ");
  assertStringIncludes(usage("train-mpi"), "\n  mpirun -n 4 deno task train-mpi --resume houses\n");
});

Deno.test("usage() lists every flag under --all, those for every day first in their group", () => {
  for (const name of NAMES) {
    const all = flagsIn(name, { all: true });
    assertEquals(all.toSorted(), flagsOf(name).toSorted());
    const everyday = all.filter((flag) => flagsIn(name).includes(flag));
    assertEquals(flagsIn(name), everyday);
    assertEquals(flagsIn(name).length === all.length, all.length <= 12 || everyday.length === all.length, name);
    for (const line of usage(name, { all: true }).split("\n")) assert(line.length <= 100, line);
    const words = usage(name, { all: true }).replaceAll(/\s+/g, " ");
    for (const key of keysOf(name)) {
      const { meaning, default: preset } = settingOf(key);
      assert(words.includes(` ${flagOf(key)} ${meaning}`), `${name} ${key}`);
      assert(preset === "" || new RegExp(`${flagOf(key)} [^]*?\\(${preset}[;)]`).test(words), `${name} ${key}`);
    }
  }
  const text = usage("train", { all: true });
  assertStringIncludes(text, "(100000; linear: 1000; xor: 4)");
  assertStringIncludes(text, "(mse; xor: bce; DATA: auto)");
  assert(flagsIn("train").indexOf("--seed") < flagsIn("train", { all: true }).indexOf("--warmup"));
});

Deno.test("usage() writes headings bold only where colours are welcome", () => {
  assertStringIncludes(usage("train", { hasColor: true }), "\x1b[1mNetwork\x1b[0m (4 more");
  assert(!usage("train").includes("\x1b"));
});

permitted("tasks/README.md and .env.example have every setting, and the README every task in short rows", async () => {
  const renew = "it is stale: tasks/settings/write_tables.ts renews it, and says how it is run";
  const readme = await Deno.readTextFile(new URL("tasks/README.md", root));
  assertEquals(readme, withTables(readme), renew);
  const example = await Deno.readTextFile(new URL(".env.example", root));
  assertEquals(example, envExample(), renew);
  // What is written is whole, and can be read back.
  const rows = readme.matchAll(/^\| `([A-Z_]+)` *\| (?:`([^`]+)`)? *\| /gm);
  const expected = KEYS.map((key) => [key, SETTINGS[key].default]);
  assertEquals([...rows].map(([_, key, preset = ""]) => [key, preset]), expected);
  assertEquals(Object.entries(parseDotenv(example.replaceAll(/^# (?=[A-Z_]+=)/gm, ""))), expected);
  for (const key of KEYS) {
    for (const [suits, preset] of Object.entries(settingOf(key).presets ?? {})) {
      const told = new RegExp(`\\b${suits}\\b[a-z, ]*: ${preset}[;)]`);
      assert(told.test(readme.match(new RegExp(`^\\| \`${key}\`.*$`, "m"))![0]), `${key} under ${suits} is ${preset}`);
    }
  }
  for (const name of Object.keys(await readTasks())) assertStringIncludes(readme, `| \`${name}\``);
  for (const line of readme.split("\n")) assert(!line.startsWith("|") || line.length <= 120, line);
});
