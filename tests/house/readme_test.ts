/** Holds README files to what is there: tasks, flags, paths, links, examples; and folders and files to their size. */

import { assertEquals } from "@std/assert";
import * as face from "../../mod.ts";
import { readSources } from "../../tasks/gate/sources.ts";
import { flagOf, keysOf, type TaskName } from "../../tasks/settings/settings.ts";
import { TASKS } from "../../tasks/settings/task_list.ts";
import { pathInProject, readTasks } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";

const ROOT_LINES = 200;
const ROW_WIDTH = 120;
const FILES = 26;
const LINES = 300;

/** Files that may be longer, and why. */
const LONG: Record<string, string> = {
  "lib/core/tensor.ts": "one class, whose public docstrings are half of it",
  "lib/gpu/device.ts": "one class, whose public docstrings are half of it",
  "lib/ranks/mpi.ts": "one class: the calls of MPI, each with its buffers",
  "lib/check/op_cases.ts": "a table of cases, one for each kernel",
  "tests/robustness/fuzz_safetensors.ts": "a table of mutations",
  "tests/tasks/playground/playground_test.ts": "one page in a browser, which starts slowly",
};

/** What README files may name. */
interface House {
  /** The flags of each task, such as `--num-epochs`. */
  readonly tasks: ReadonlyMap<string, ReadonlySet<string>>;
  readonly exists: (path: string) => boolean;
}

/** A path of what is written, not made. A name without a folder may be an example. */
const PATH = /^(?:(?:lib|tasks|tests|kernels|\.github)\/[\w./-]*|[\w.-]+(?:\/[\w.-]+)+\.(?:ts|wgsl|md|sh))$/;

/** Everything that a README claims and that is not so, a line each. */
function faultsOf(path: string, text: string, { tasks, exists }: House): string[] {
  const faults: string[] = [];
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  for (const [line, task, rest] of text.matchAll(/deno (?:@[\d.]+ )?task ([a-z][\w-]*)([^\n`]*)/g)) {
    const flags = tasks.get(task);
    if (!flags) faults.push(`${path}: no task ${task}: ${line}`);
    const command = rest.replace(/#.*|\s--\s.*/, "");
    for (const [flag] of command.matchAll(/(?<=\s)--[a-z][a-z-]*/g)) {
      if (flags?.has(flag) === false) faults.push(`${path}: ${task} has no flag ${flag}: ${line}`);
    }
  }
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, "");
  for (const [_, name] of prose.matchAll(/`([^`\n]+)`/g)) {
    if (PATH.test(name) && !exists(name) && !exists(folder + name)) faults.push(`${path}: no such path ${name}`);
  }
  const headings = [...prose.matchAll(/^#+ (.+)$/gm)].map(([_, text]) =>
    text.toLowerCase().replaceAll(/[^\w\s-]/g, "")
  );
  for (const [_, place] of prose.matchAll(/\]\(#([^)]+)\)/g)) {
    if (!headings.some((text) => text.replaceAll(" ", "-") === place)) faults.push(`${path}: no heading for #${place}`);
  }
  for (const [_, target] of prose.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
    if (!target.includes(":") && !exists(folder + target)) faults.push(`${path}: the link ${target} leads nowhere`);
  }
  for (const row of text.split("\n").filter((line) => line.startsWith("|"))) {
    if (row.length > ROW_WIDTH) faults.push(`${path}: a table row has ${row.length} characters: ${row.slice(0, 60)}`);
  }
  return faults;
}

/** What a task takes: its settings and extras, or what the head of its script names. */
async function flagsOf(task: string): Promise<Set<string>> {
  if (!(task in TASKS)) {
    const script = await Deno.readTextFile(pathInProject(`tasks/${task.replaceAll("-", "_")}.ts`));
    return new Set(script.match(/--[a-z][a-z-]*/g));
  }
  const name = task as TaskName;
  const keys = [...keysOf(name), ...Object.keys(TASKS[name].extras ?? {})];
  return new Set([...keys.map(flagOf), "--help", "--all"]);
}

/** Whether a file or a folder of the project is there. */
function exists(path: string): boolean {
  try {
    return Deno.statSync(pathInProject(path)) !== undefined;
  } catch {
    return false;
  }
}

Deno.test("faultsOf() names what is not there", () => {
  const house: House = {
    tasks: new Map([["train", new Set(["--lr"])], ["scale", new Set()]]),
    exists: (path) => ["lib/", "lib/core/a.ts", "lib/README.md"].includes(path),
  };
  const text = [
    "`deno task train --lr 1 --other` and `npx -y deno task trian --lr 1`, `deno task train -- --free` # --comment",
    "`deno task scale --lr 1`",
    "`lib/core/a.ts`, `core/a.ts`, `core/b.ts`, `data/runs/r`, [good](README.md), [bad](b/README.md#there)",
    "## How it, too, flows",
    "[good](#how-it-too-flows), [bad](#elsewhere)",
    `| ${"x".repeat(ROW_WIDTH)} |`,
    "```sh\n`lib/none.ts`\n```",
  ];
  assertEquals(faultsOf("lib/README.md", text.join("\n"), house), [
    "lib/README.md: train has no flag --other: deno task train --lr 1 --other",
    "lib/README.md: no task trian: deno task trian --lr 1",
    "lib/README.md: scale has no flag --lr: deno task scale --lr 1",
    "lib/README.md: no such path core/b.ts",
    "lib/README.md: no heading for #elsewhere",
    "lib/README.md: the link b/README.md leads nowhere",
    `lib/README.md: a table row has ${ROW_WIDTH + 4} characters: | ${"x".repeat(58)}`,
  ]);
});

permitted("README files name tasks, flags and paths that are there", async () => {
  const tasks = new Map<string, ReadonlySet<string>>();
  for (const task of Object.keys(await readTasks())) tasks.set(task, await flagsOf(task));
  const readmes = [...await readSources(".", ".md")];
  assertEquals(readmes.flatMap(([path, text]) => faultsOf(path, text, { tasks, exists })), []);
});

permitted("README.md is short", async () => {
  const lines = (await Deno.readTextFile(pathInProject("README.md"))).trimEnd().split("\n").length;
  assertEquals(Math.max(lines, ROOT_LINES), ROOT_LINES);
});

permitted("no folder has many files, and no file many lines", async () => {
  const counts = new Map<string, number>();
  const long: string[] = [];
  for (const path of (await readSources(".", "")).keys()) {
    if (!/^(lib|tasks|tests|kernels)\//.test(path)) continue;
    const folder = path.slice(0, path.lastIndexOf("/"));
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  for (const [path, text] of await readSources(".")) {
    if (text.split("\n").length - 1 > LINES) long.push(path);
  }
  assertEquals([...counts].filter(([_, count]) => count > FILES), []);
  assertEquals(long.sort(), Object.keys(LONG).sort());
});

permitted("mod.ts: every public function, class and constant stands in an example that runs", async () => {
  const texts = [await Deno.readTextFile(pathInProject("README.md")), ...(await readSources("lib")).values()];
  const examples = texts.flatMap((text) => [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]));
  const text = examples.join("\n").replaceAll(/^.*import .*$/gm, "");
  const missing = Object.keys(face).filter((name) => {
    const use = /^[a-z]/.test(name) && typeof face[name as keyof typeof face] === "function"
      ? `${name}\\(`
      : `${name}\\b`;
    return !new RegExp(`(?<!\\w)${use}`).test(text);
  });
  assertEquals(missing, []);
});
