/** The native peers on this machine: how they are found, and how one is timed and checked. */

import { runToEnd } from "../processes.ts";
import { checkProduct, factors, type Size } from "../products.ts";
import { type Implementation, median, NATIVES, type ProductResult, type TrainingResult } from "../results.ts";
import { batchesOf, initialParameters, LEARNING_RATE, lossAt, type Workload } from "../workloads.ts";

/** Where the programs `burn` and `candle` are looked for. */
const BUILT = decodeURIComponent(new URL("../../../data/native/release", import.meta.url).pathname);

/** A program that loads what is timed from a file, and times it by its own clock; `common.rs` says how it is called. */
export interface Native extends Implementation {
  program: string;
  args: readonly string[];
}

/** What of the Python peers and the built ones is there, and a line for each that is not. */
export interface Found {
  natives: Native[];
  missing: string[];
  /** By the name of the peer; scikit-learn is "sklearn". */
  versions: Record<string, string>;
}

/**
 * Looks for PyTorch and scikit-learn by `python3`, and for what `cargo` built.
 *
 * @param modes How PyTorch gets the gradients: `hand`, `eager`.
 * @param packages What Python is asked for; to import one takes seconds.
 * @param python What runs Python.
 * @param built The folder of the built programs.
 */
export async function findNatives(
  modes: readonly string[],
  packages: readonly string[] = ["torch", "sklearn"],
  python: string = "python3",
  built: string = BUILT,
): Promise<Found> {
  const natives: Native[] = [];
  const missing: string[] = [];
  const versions: Record<string, string> = {};
  for (const name of packages) {
    const version = await versionOf(name, python);
    if (version === undefined) missing.push(`${name}: \`python3 -c "import ${name}"\` fails`);
    else versions[name] = version;
  }
  const folder = decodeURIComponent(new URL(".", import.meta.url).pathname);
  const cargo = await Deno.readTextFile(`${folder}Cargo.toml`);
  for (const peer of NATIVES) {
    const { name, backend } = peer;
    if (name === "torch") {
      const args = [`${folder}pytorch.py`, backend];
      if (name in versions && modes.includes(backend)) natives.push({ ...peer, program: python, args });
      continue;
    }
    const program = `${built}/${name}`;
    if (await exists(program)) {
      natives.push({ ...peer, program, args: [] });
      versions[name] = cargo.match(new RegExp(`^${name}\\b.*"=([\\d.]+)"`, "m"))![1];
    } else missing.push(`${name}: there is no ${program}; tasks/bench/README.md says how to build it`);
  }
  return { natives, missing, versions };
}

/** Trains a workload: the program takes the checked steps, then it is timed. */
export async function trainNative(
  native: Native,
  workload: Workload,
  checkedSteps: number,
  seconds: number,
  folder: string,
): Promise<TrainingResult> {
  const first = initialParameters(workload).flatMap(({ weight, bias }) => [weight, bias]);
  const input = [...first, ...batchesOf(workload).flatMap(({ x, y }) => [x, y])];
  const task = [workload.loss, LEARNING_RATE, workload.batch, ...workload.widths];
  const { rounds, output } = await time(native, "training", input, seconds, [checkedSteps, ...task], folder);
  let at = 0;
  const parameters = first.map(({ length }) => output.subarray(at, at += length));
  const { name, backend } = native;
  const loss = lossAt(workload, parameters);
  return { name, backend, workload: workload.name, stepsPerSecond: median(rounds), rounds, checkedSteps, loss };
}

/** Multiplies matrices of these sizes; the first product is checked. */
export async function multiplyNative(
  native: Native,
  sizes: readonly Size[],
  seconds: number,
  folder: string,
): Promise<ProductResult[]> {
  const { name, backend } = native;
  const results: ProductResult[] = [];
  for (const size of sizes) {
    const sides = factors(size);
    const { rounds, output } = await time(native, "product", [sides.a, sides.b], seconds, [1, ...size], folder);
    const gflops = median(rounds) * 2 * size[0] * size[1] * size[2] / 1e9;
    results.push({ name, backend, size, gflops, error: checkProduct(size, sides, output) });
  }
  return results;
}

/** Runs per second of each round, and the numbers that the program wrote after the checked runs. */
async function time(
  { program, args }: Native,
  what: "training" | "product",
  input: readonly Float32Array<ArrayBuffer>[],
  seconds: number,
  task: readonly (number | string)[],
  folder: string,
): Promise<{ rounds: number[]; output: Float32Array }> {
  const from = `${folder}/native_input.f32`;
  const to = `${folder}/native_output.f32`;
  await Deno.writeFile(from, new Blob(input.slice()).stream());
  const words = [...args, what, from, to, seconds, ...task].map(String);
  const said = await runToEnd({ program, args: words });
  const bytes = await Deno.readFile(to);
  await Deno.remove(to); // what the next program does not write must not be taken for its own
  return { rounds: JSON.parse(said).rounds, output: new Float32Array(bytes.buffer) };
}

/** The version of a Python package; undefined if Python or the package is not there. */
async function versionOf(name: string, python: string): Promise<string | undefined> {
  try {
    return (await runToEnd({ program: python, args: ["-c", `import ${name}; print(${name}.__version__)`] })).trim();
  } catch (error) {
    if (error instanceof Deno.errors.Interrupted) throw error;
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
