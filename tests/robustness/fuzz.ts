/**
 * Reads mutated files in a process of its own, and watches it from outside: it may neither crash, nor hang, nor take a
 * gigabyte of memory. Prints a line for each part; the exit code is 1 where a case failed.
 *
 *     deno run -A tests/robustness/fuzz.ts --count 20000 --seed 1
 *     deno run -A tests/robustness/fuzz.ts --part csv --seed 1 --only 1234
 */

import { parseArgs } from "@std/cli/parse-args";
import { environmentOf } from "../support/run_task_process.ts";

/** Seconds that a single case may take, on a machine that does other work too. */
const CASE_SECONDS = 30;

/** The most memory that a part may ever hold, in MiB. */
const MAX_MIB = 1024;

const PARTS = ["safetensors", "csv"] as const;

/** A part of the fuzz. */
export type Part = typeof PARTS[number];

/** Runs a part in a process of its own. Gives a line that says what was found, and whether all is well. */
export async function fuzzPart(
  part: Part,
  count: number,
  seed: number,
  only?: number,
): Promise<{ line: string; isGood: boolean }> {
  const folder = await Deno.makeTempDir({ prefix: "backhand_fuzz_" });
  const started = performance.now();
  try {
    const { code, stdout, stderr, stuck } = await watch(folder, part, count, seed, only);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const result = stdout.trim().startsWith("{") ? JSON.parse(stdout) : undefined;
    const fault = stuck ?? (code === 0 && result ? undefined : stderr.trim().slice(-3000) || `it ended with ${code}`);
    if (fault !== undefined) return { line: `fuzz ${part}: ${fault}`, isGood: false };
    const { read, refused, slowest, mib } = result;
    const memory = mib === null ? "memory unknown" : `${mib} MiB at most`;
    const found = `${count} files, seed ${seed}: ${read} read, ${refused} refused`;
    const line = `fuzz ${part}: ${found}; ${seconds} s, slowest ${slowest.toFixed(2)} s, ${memory}`;
    const isSmall = mib === null || mib < MAX_MIB;
    return { line: isSmall ? line : `${line}: allowed are ${MAX_MIB}`, isGood: isSmall };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the process, and ends it where it stays at one case for too long. */
async function watch(folder: string, part: Part, count: number, seed: number, only?: number) {
  const options = [`--count=${count}`, `--seed=${seed}`, `--part=${part}`, `--within=${folder}`];
  const args = ["run", "-A", "--no-check", "--v8-flags=--expose-gc", import.meta.filename!, ...options];
  const command = new Deno.Command(Deno.execPath(), {
    args: only === undefined ? args : [...args, `--only=${only}`],
    clearEnv: true,
    env: environmentOf({ INIT_CWD: "" }), // files that are named lie in the fuzz's own folder
    stdout: "piped",
    stderr: "piped",
  });
  const child = command.spawn();
  const last = () => Deno.readTextFile(`${folder}/case.txt`).then((text) => text.trim(), () => "");
  let stuck: string | undefined;
  let seen = "";
  let since = performance.now();
  const timer = setInterval(async () => {
    const now = await last();
    if (now !== seen) {
      seen = now;
      since = performance.now();
    }
    if (performance.now() - since < CASE_SECONDS * 1000 || stuck !== undefined) return;
    stuck = `seed ${seed}, case ${seen} hangs: ${CASE_SECONDS} s and no end`;
    child.kill("SIGKILL");
  }, 1000);
  const { code, stdout, stderr } = await child.output();
  clearInterval(timer);
  const crash = code === 0 || code === 1 || stuck
    ? undefined
    : `seed ${seed}, case ${await last()} ends the process: ${code}`;
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, stdout: out, stderr: err, stuck: stuck ?? crash };
}

/** Runs a part within this process, and tells its counts, times and memory as JSON. */
async function runWithin(folder: string, part: Part, count: number, seed: number, only?: number): Promise<void> {
  const { fuzz } = part === "csv" ? await import("./fuzz_csv.ts") : await import("./fuzz_safetensors.ts");
  using progress = Deno.openSync(`${folder}/case.txt`, { write: true, create: true });
  Deno.chdir(folder);
  let slowest = 0;
  let since = performance.now();
  const onCase = (index: number) => {
    slowest = Math.max(slowest, performance.now() - since);
    since = performance.now();
    progress.seekSync(0, Deno.SeekMode.Start);
    progress.writeSync(new TextEncoder().encode(`${index}`.padEnd(9)));
  };
  const counts = await fuzz({ count, seed, onCase, only });
  slowest = Math.max(slowest, performance.now() - since);
  console.log(JSON.stringify({ ...counts, slowest: slowest / 1000, mib: peakMib() }));
}

/** The most memory that the process ever held; null where the system does not tell. */
function peakMib(): number | null {
  if (Deno.build.os !== "linux") return null;
  const [_, kib] = Deno.readTextFileSync("/proc/self/status").match(/VmHWM:\s+(\d+) kB/) ?? [];
  return Math.round(Number(kib) / 1024);
}

if (import.meta.main) {
  const flags = parseArgs(Deno.args, { string: ["count", "seed", "part", "only", "within"] });
  const numberOf = (text: string | undefined, preset?: number) => text === undefined ? preset : Number(text);
  const count = numberOf(flags.count, 20_000)!;
  const seed = numberOf(flags.seed, 1)!;
  const only = numberOf(flags.only);
  if (![count, seed, only ?? 0].every(Number.isSafeInteger) || !PARTS.includes(flags.part as Part ?? "csv")) {
    console.error("fuzz.ts [--count 20000] [--seed 1] [--part safetensors|csv] [--only case]");
    Deno.exit(2);
  }
  if (flags.within !== undefined) await runWithin(flags.within, flags.part as Part, count, seed, only);
  else {
    const parts = flags.part === undefined ? PARTS : [flags.part as Part];
    const results = await Promise.all(parts.map((part) => fuzzPart(part, count, seed, only)));
    for (const { line } of results) console.log(line);
    if (!results.every(({ isGood }) => isGood)) Deno.exit(1);
  }
}
