/** Mutation of the backward passes: which functions, in what way each mutant is made to run, and who catches it. */
import { stripTypeScriptTypes } from "node:module";
import { importsOf, readSources } from "../../tasks/gate/sources.ts";
import { Random } from "../../lib/base/random.ts";
import { KERNELS, MODULES } from "./backward_functions.ts";
import { type Mutant, mutantsOf } from "./mutants.ts";
import type { Question } from "./mutation_worker.ts";

const root = new URL("../../", import.meta.url);
/** What a check may take, in milliseconds; many times what it does take. */
const TIMEOUT = 30_000;

/** Mutants for which one worker is enough. */
const FEW = 50;

/** What catches mutants. */
const CHECKS = ["gradcheck", "self_test", "op_cases"];

/** Every mutant of every backward pass. */
export async function allMutants(): Promise<Mutant[]> {
  const kernels = Object.entries(KERNELS).map(async ([file, names]) => mutantsOf(file, await textOf(file), names));
  const modules = Object.entries(MODULES).map(async ([file, names]) =>
    mutantsOf(file, stripTypeScriptTypes(await textOf(file)), names)
  );
  return (await Promise.all([...kernels, ...modules])).flat();
}

/** A module's loop that steps the wrong way: it does not end, and keeps a core busy until its time is up. */
const ENDLESS = /\.ts: for \(.*‹(\+\+ → --|\+= → -=)›/;

/** A sample, the same under the same seed. Endless loops are left to the run of all mutants. */
export function sample(mutants: readonly Mutant[], count: number, seed: number): Mutant[] {
  const ending = mutants.filter(({ name }) => !ENDLESS.test(name));
  return [...new Random(seed, "mutants").permutation(ending.length).subarray(0, count)].map((i) => ending[i]);
}

/**
 * Checks mutants and tells each one's verdict as it is reached: what caught it, "" where nothing did. Many go to two workers; of
 * a few the second worker's own device would take more than it saves.
 */
export async function checkMutants(mutants: readonly Mutant[], tell: (name: string, caughtBy: string) => void) {
  const folder = await Deno.makeTempDir({ prefix: "mutants-" });
  try {
    const copies = await Copies.read(folder);
    const queue = mutants.values();
    const work = async () => {
      using worker = new Checker();
      for (const mutant of queue) tell(mutant.name, await worker.ask(await copies.questionOf(mutant)));
    };
    await Promise.all(mutants.length < FEW ? [work()] : [work(), work()]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A worker, replaced where a mutant never ends. */
class Checker implements Disposable {
  #worker = Checker.#start();

  async ask(question: Question): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(() => {
      this.#worker.terminate();
      this.#worker = Checker.#start();
      resolve("it does not end");
    }, TIMEOUT);
    this.#worker.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
    this.#worker.onerror = (event) => (event.preventDefault(), reject(new Error(event.message)));
    this.#worker.postMessage(question);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }

  static #start(): Worker {
    return new Worker(new URL("mutation_worker.ts", import.meta.url), { type: "module" });
  }
}

/** Copies of a mutated module and of those that import it, up to the checks; all others are shared. */
class Copies {
  #count = 0;

  private constructor(readonly folder: string, readonly scripts: ReadonlyMap<string, string>) {}

  static async read(folder: string): Promise<Copies> {
    const sources = await readSources("lib");
    return new Copies(folder, new Map([...sources].map(([path, text]) => [path, stripTypeScriptTypes(text)])));
  }

  async questionOf({ file, text }: Mutant): Promise<Question> {
    if (file.endsWith(".wgsl")) return { text: await textOf(file), mutated: text };
    const copied = this.#importersOf(file);
    const folder = `${this.folder}/${this.#count++}`;
    const at = (path: string) =>
      copied.has(path) ? `file://${folder}/${path.replace(/\.ts$/, ".js")}` : new URL(path, root).href;
    await Promise.all([...copied].map(async (path) => {
      const script = path === file ? text : this.scripts.get(path)!;
      const redirected = script.replaceAll(
        /(from |import\()"(\.[^"]+\.ts)"/g,
        (_, before, specifier) => `${before}"${at(new URL(specifier, `file:///${path}`).pathname.slice(1))}"`,
      );
      const copy = new URL(at(path));
      await Deno.mkdir(new URL("./", copy), { recursive: true });
      await Deno.writeTextFile(copy, redirected);
    }));
    const [gradcheck, selfTest, cases] = CHECKS.map((name) => at(`lib/check/${name}.ts`));
    return { gradcheck, selfTest, cases };
  }

  /** The file, and all that import it, directly or not. */
  #importersOf(file: string): ReadonlySet<string> {
    const found = new Set([file]);
    for (const target of found) {
      for (const [path, script] of this.scripts) {
        if (importsOf(path, script).includes(target)) found.add(path);
      }
    }
    return found;
  }
}

async function textOf(file: string): Promise<string> {
  return await Deno.readTextFile(new URL(file, root));
}
