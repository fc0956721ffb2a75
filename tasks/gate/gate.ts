/** The stages of the gate. */

import { isCovered, removeCutFiles } from "./coverage.ts";
import { importsOf, readSources } from "./sources.ts";
import { findsAdapter } from "../setup/prepare_machine.ts";

const root = new URL("../../", import.meta.url);
const permissions = [
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-run",
  // Who runs them decides what a read-only folder means; of the network, nothing but this machine.
  "--allow-sys=uid",
  "--allow-net=127.0.0.1",
];

/** Tests that time their own steps: no other may run at the same time. */
const ALONE = ["tests/robustness/soak_test.ts"];

/** The slowest files, the slowest first. They begin first: one that begins last keeps a single core busy. */
const SLOW = [
  "tests/house/permissions_test.ts",
  "tests/tasks/training/task_resume_test.ts",
  "tests/tasks/tune/task_tune_test.ts",
  "tests/robustness/mutation_test.ts",
  "tests/tasks/training/real_data_test.ts",
  "tests/tasks/mpi/task_train_mpi_test.ts",
  "tests/tasks/prepare/task_locks_test.ts",
  "tests/tasks/training/task_train_test.ts",
  "tests/ranks/mpi_test.ts",
  "tests/check/used_kernels_test.ts",
];

/** Rooms that mirror none of lib, and files: counting the lines that run there takes time, and finds next to none that are new. */
const UNCOUNTED = [
  "tests/house/",
  "tests/robustness/",
  "tests/tasks/",
  "tests/check/doctor_test.ts",
  "tests/core/dropout_mask_test.ts",
  "tests/gpu/fusion_test.ts",
];

interface Outcome {
  ok: boolean;
  stdout: string;
}

// Colours would be told apart from text neither by a file nor by the summary's pattern.
const env: Record<string, string> = Deno.stdout.isTerminal() ? {} : { NO_COLOR: "1" };

/** Runs a deno command in the project, showing what it prints as it comes. */
async function deno(args: string[], show = true): Promise<Outcome> {
  const child = new Deno.Command(Deno.execPath(), { args, cwd: root, env, stdout: "piped", stderr: "inherit" }).spawn();
  let stdout = "";
  const decoder = new TextDecoder();
  for await (const chunk of child.stdout) {
    stdout += decoder.decode(chunk, { stream: true });
    if (show) await writeAll(chunk);
  }
  return { ok: (await child.status).success, stdout };
}

/** Runs deno commands one after the other; gives whether each succeeded, and all that it printed. */
async function inTurn(commands: readonly string[][]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const args of commands) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, cwd: root, env }).output();
    outcomes.push({ ok: success, stdout: [stderr, stdout].map((bytes) => new TextDecoder().decode(bytes)).join("") });
  }
  return outcomes;
}

/**
 * Keeps to Vulkan if it has an adapter. Otherwise EGL is loaded, too, and its clean-up at exit races with the end of the test
 * runner's thread: about one run in fifty aborted after all its tests had passed.
 */
async function keepToVulkan(): Promise<void> {
  if (Deno.build.os !== "linux" || Deno.env.has("DENO_WEBGPU_BACKEND")) return;
  const vulkan = { DENO_WEBGPU_BACKEND: "vulkan", XDG_RUNTIME_DIR: "/tmp" };
  if (await findsAdapter(vulkan)) Object.assign(env, vulkan);
}

/** One file more than there are cores: files that start processes wait for them, and left a fifth of two cores idle. */
function takeAllCores(): void {
  if (!Deno.env.has("DENO_JOBS")) env.DENO_JOBS = `${navigator.hardwareConcurrency + 1}`;
}

async function writeAll(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await Deno.stdout.write(bytes.subarray(at));
}

/** Reads the totals from the test runner's last line; undefined where it did not get that far. */
export function readTotals(output: string): { passed: number; failed: number } | undefined {
  // deno-lint-ignore no-control-regex -- colours
  const plain = output.replaceAll(/\x1b\[[0-9;]*m/g, "");
  const totals = [...plain.matchAll(/^(?:ok|FAILED) \| (\d+) passed.*? \| (\d+) failed/gm)].at(-1);
  return totals && { passed: Number(totals[1]), failed: Number(totals[2]) };
}

/** Test files by how they run, paths from the project's folder, those that take long first. */
interface TestGroups {
  /** At the same time, and the lines of lib that run are counted. */
  counted: string[];
  /** At the same time. */
  together: string[];
  /** One after the other. */
  alone: string[];
  /** Those of pages: the driver of the browser reads in /proc, which Deno allows nobody with less than all permissions. */
  pages: string[];
}

/**
 * Sorts test files into groups.
 *
 * @throws {Deno.errors.NotFound} If a file that is named here is none of them.
 */
export function groupTests(texts: ReadonlyMap<string, string>): TestGroups {
  const named = [...ALONE, ...SLOW, ...UNCOUNTED.filter((place) => place.endsWith(".ts"))];
  const missing = named.filter((path) => texts.size > 0 && !texts.has(path));
  if (missing.length > 0) throw new Deno.errors.NotFound(`No such test: ${missing.join(", ")}`);
  const browsing = withImporters(["tests/support/browser.ts"], texts);
  const starting = withImporters([...texts.keys()].filter((path) => texts.get(path)!.includes("Deno.Command(")), texts);
  // After those that are known to be slow come those that start processes.
  const weight = (path: string) => {
    const place = SLOW.indexOf(path);
    return place < 0 ? texts.get(path)!.length + (starting.has(path) ? 1e9 : 0) : 2e9 - place;
  };
  const groups: TestGroups = { counted: [], together: [], alone: [], pages: [] };
  const groupOf = (path: string): keyof TestGroups => {
    if (browsing.has(path)) return "pages";
    if (ALONE.includes(path)) return "alone";
    return UNCOUNTED.some((place) => path.startsWith(place)) ? "together" : "counted";
  };
  const paths = [...texts.keys()].filter((path) => path.endsWith("_test.ts"));
  for (const path of paths.sort((a, b) => weight(b) - weight(a) || (a < b ? -1 : 1))) {
    groups[groupOf(path)].push(path);
  }
  return groups;
}

/** Files, whatever imports them, and whatever imports that. */
function withImporters(files: Iterable<string>, texts: ReadonlyMap<string, string>): ReadonlySet<string> {
  const found = new Set(files);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const [path, text] of texts) {
      if (importsOf(path, text).some((file) => found.has(file))) found.add(path);
    }
  }
  return found;
}

/** Runs all tests and the examples in the documentation; undefined totals where a runner did not get that far. */
async function runTests(): Promise<{ ok: boolean; totals: ReturnType<typeof readTotals> }> {
  const { counted, together, alone, pages } = groupTests(await readSources("tests"));
  const readmes = [...(await readSources(".", "README.md")).keys()];
  // Types are a stage of their own: here one wrong type would keep all tests from running.
  const options = ["--no-prompt", "--no-check"];
  const sum = { passed: 0, failed: 0 };
  let isOk = true;
  let isWhole = true;
  const run = async (flags: string[], files: string[], show = true) => {
    if (files.length === 0) return ""; // named none, the runner would take all
    const { ok, stdout } = await deno(["test", ...options, ...flags, ...files], show);
    const totals = readTotals(stdout);
    if (!ok) isOk = false;
    if (!totals) isWhole = false;
    sum.passed += totals?.passed ?? 0;
    sum.failed += totals?.failed ?? 0;
    return stdout;
  };
  // A browser mostly waits: its tests take what the others leave of the cores, and are shown after them.
  const [paged] = await Promise.all([
    run(["--allow-all"], pages, false),
    run(["--doc", "--parallel", ...permissions], [...together, "mod.ts", "lib", ...readmes])
      .then(() => run(["--parallel", "--coverage=coverage", "--coverage-raw-data-only", ...permissions], counted)),
  ]);
  await writeAll(new TextEncoder().encode(paged));
  await run(permissions, alone);
  return { ok: isOk, totals: isWhole ? sum : undefined };
}

/** Counts the lines of lib that ran. */
async function checkCoverage(): Promise<boolean> {
  const removed = await removeCutFiles(new URL("coverage/", root));
  if (removed > 0) console.log(`coverage: left out ${removed} files of processes that were killed while they ended`);
  const { ok, stdout } = await deno(["coverage", "--quiet", "--lcov", "coverage"], false);
  return await isCovered(ok ? stdout : "");
}

/** Runs a script of tasks in a process of its own, which may do more than this one. */
async function runScript(script: string): Promise<boolean> {
  const permissions = ["--allow-read", "--allow-write", "--allow-env", "--allow-run", "--allow-sys=uid"];
  return (await deno(["run", "--no-prompt", "--no-check", ...permissions, `tasks/${script}.ts`])).ok;
}

export async function main(): Promise<number> {
  if (Deno.args.includes("--help") || Deno.args.includes("-h")) {
    console.log(
      "Usage: deno task test\n\nRuns format, lint, types, documentation, all tests, coverage of lib, and speed.",
    );
    return 0;
  }
  for (const argument of Deno.args) console.error(`error: ${argument}: test takes no flags`);
  if (Deno.args.length > 0) return 2;
  const coverage = new URL("coverage", root);
  await Deno.remove(coverage, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  await Deno.mkdir(coverage);

  await keepToVulkan();
  takeAllCores();
  let totals: ReturnType<typeof readTotals>;
  const readmes = (await readSources(".", "README.md")).keys();
  // They take what the tests leave of the cores.
  const texts = inTurn([
    ["fmt", "--check"],
    ["lint"],
    ["check", "--doc", "mod.ts", "lib", "tasks", "tests", ...readmes],
    ["doc", "--lint", "mod.ts"],
  ]);
  const tell = async (which: number) => {
    const { ok, stdout } = (await texts)[which];
    if (!ok) await writeAll(new TextEncoder().encode(stdout));
    return ok;
  };
  const stages: [string, () => Promise<boolean>][] = [
    ["browser", () => runScript("setup/chromium")],
    ["MPI", () => runScript("setup/open_mpi")],
    ["tests", async () => {
      const { ok, totals: found } = await runTests();
      totals = found;
      return ok;
    }],
    ["format", () => tell(0)],
    ["lint", () => tell(1)],
    ["types", () => tell(2)],
    ["documentation", () => tell(3)],
    ["coverage", checkCoverage],
    // Last: no other stage may take its cores.
    ["speed", () => runScript("gate/speed")],
  ];
  const failed: string[] = [];
  for (const [name, stage] of stages) {
    console.log(`== ${name}`);
    const since = performance.now();
    if (!await stage()) failed.push(name);
    console.log(`${name}: ${((performance.now() - since) / 1000).toFixed(0)} s`);
  }

  // A runner that stopped before its totals has failed, whatever it had passed by then.
  const { passed, failed: failures } = totals ?? { passed: 0, failed: 1 };
  console.log(failed.length > 0 ? `\nfailed: ${failed.join(", ")}` : "\nall stages passed");
  console.log(`tests: ${passed} passed, ${failures} failed`);
  return failed.length > 0 ? 1 : 0;
}
