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

const PARTS = ["safetensors", "csv", "formats"] as const;

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
    const options = [`--count=${count}`, `--seed=${seed}`, `--part=${part}`, `--within=${folder}`];
    if (only !== undefined) options.push(`--only=${only}`);
    const said = await watch(folder, seed, options);
    if (!said.startsWith("{")) return { line: `fuzz ${part}: ${said}`, isGood: false };
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const { read, refused, slowest, mib } = JSON.parse(said);
    const memory = mib === null ? "memory unknown" : `${mib} MiB at most`;
    const found = `${count} files, seed ${seed}: ${read} read, ${refused} refused`;
    const line = `fuzz ${part}: ${found}; ${seconds} s, slowest ${slowest.toFixed(2)} s, ${memory}`;
    const isSmall = mib === null || mib < MAX_MIB;
    return { line: isSmall ? line : `${line}: allowed are ${MAX_MIB}`, isGood: isSmall };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs the process, and ends it where it stays at one case for too long. Gives its result as JSON, or what went wrong. */
async function watch(folder: string, seed: number, options: readonly string[]): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", import.meta.filename!, ...options],
    clearEnv: true,
    env: environmentOf({ INIT_CWD: "" }), // files that are named lie in the fuzz's own folder
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const last = () => Deno.readTextFile(`${folder}/case.txt`).then((text) => text.trim(), () => "");
  let stuck: string | undefined;
  let seen = "";
  let since = performance.now();
  const timer = setInterval(async () => {
    const now = await last();
    if (now !== seen) since = performance.now();
    seen = now;
    if (performance.now() - since < CASE_SECONDS * 1000 || stuck !== undefined) return;
    stuck = `seed ${seed}, case ${seen} hangs: ${CASE_SECONDS} s and no end`;
    child.kill("SIGKILL");
  }, 1000);
  const { code, ...said } = await child.output();
  clearInterval(timer);
  if (stuck) return stuck;
  if (code > 1) return `seed ${seed}, case ${await last()} ends the process: ${code}`;
  const [stdout, stderr] = [said.stdout, said.stderr].map((bytes) => new TextDecoder().decode(bytes).trim());
  return code === 0 && stdout.startsWith("{") ? stdout : stderr.slice(-3000) || `it ended with ${code}`;
}

/** Runs a part within this process, and tells its counts, times and memory as JSON. */
async function runWithin(folder: string, part: Part, count: number, seed: number, only?: number): Promise<void> {
  const { fuzz } = await import(`./fuzz_${part}.ts`);
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
  const [count, seed] = [Number(flags.count ?? 20_000), Number(flags.seed ?? 1)];
  const only = flags.only === undefined ? undefined : Number(flags.only);
  if (![count, seed, only ?? 0].every(Number.isSafeInteger) || !PARTS.includes(flags.part as Part ?? "csv")) {
    console.error("fuzz.ts [--count 20000] [--seed 1] [--part safetensors|csv|formats] [--only case]");
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
