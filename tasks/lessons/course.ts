/** The lessons in their order. */

import type { Device } from "../../mod.ts";
import { errorText } from "./error_text.ts";

/** What a lesson's check file has. `lesson` is what the learner's file, or the solution, exports. */
interface Checks {
  readonly hints: readonly string[];
  check(device: Device, lesson: never): Promise<string[]>;
}

export interface Lesson {
  /** Its file in this folder, without `.ts`. */
  readonly name: string;
  /** Its file's SHA-256 before anybody wrote into it, the first 16 digits. */
  readonly untouched: string;
  readonly point: string;
  /** Runs the file, and gives what it exports. */
  readonly load: () => Promise<unknown>;
  readonly loadSolution: () => Promise<unknown>;
  readonly loadChecks: () => Promise<Checks>;
}

export const LESSONS: readonly Lesson[] = [
  {
    name: "01_chain",
    untouched: "72ad83ffb0ac73f2",
    point: "a gradient is a nudge; the chain rule",
    load: () => import("./01_chain.ts"),
    loadSolution: () => import("./solutions/01_chain.ts"),
    loadChecks: () => import("./checks/01_chain.ts"),
  },
  {
    name: "02_forward",
    untouched: "98a9ca889fc8728b",
    point: "the forward pass, shapes, and what unscaled data do",
    load: () => import("./02_forward.ts"),
    loadSolution: () => import("./solutions/02_forward.ts"),
    loadChecks: () => import("./checks/02_forward.ts"),
  },
  {
    name: "03_backward",
    untouched: "6ed7b88b94396fdc",
    point: "the backward of Linear, ReLU and MSE, and why",
    load: () => import("./03_backward.ts"),
    loadSolution: () => import("./solutions/03_backward.ts"),
    loadChecks: () => import("./checks/03_backward.ts"),
  },
  {
    name: "04_sgd",
    untouched: "c2996df25df926f9",
    point: "SGD, mini-batches, shuffling, and norms",
    load: () => import("./04_sgd.ts"),
    loadSolution: () => import("./solutions/04_sgd.ts"),
    loadChecks: () => import("./checks/04_sgd.ts"),
  },
  {
    name: "05_cross_entropy",
    untouched: "c2a148fed9704071",
    point: "sigmoid and cross-entropy: why the gradient is a2 - y",
    load: () => import("./05_cross_entropy.ts"),
    loadSolution: () => import("./solutions/05_cross_entropy.ts"),
    loadChecks: () => import("./checks/05_cross_entropy.ts"),
  },
  {
    name: "06_faults",
    untouched: "8d10016504a28445",
    point: "what goes wrong: all ones, dead units, a huge rate",
    load: () => import("./06_faults.ts"),
    loadSolution: () => import("./solutions/06_faults.ts"),
    loadChecks: () => import("./checks/06_faults.ts"),
  },
  {
    name: "07_softmax",
    untouched: "054708588a1bb4e6",
    point: "softmax and cross-entropy, piece by piece and fused",
    load: () => import("./07_softmax.ts"),
    loadSolution: () => import("./solutions/07_softmax.ts"),
    loadChecks: () => import("./checks/07_softmax.ts"),
  },
  {
    name: "08_fast",
    untouched: "03e859c737e5abe4",
    point: "fast: plain loops, op by op, recorded, the library",
    load: () => import("./08_fast.ts"),
    loadSolution: () => import("./solutions/08_fast.ts"),
    loadChecks: () => import("./checks/08_fast.ts"),
  },
  {
    name: "09_own_layer",
    untouched: "8858be92be31958a",
    point: "a layer of your own: softplus in WGSL, then AdamW",
    load: () => import("./09_own_layer.ts"),
    loadSolution: () => import("./solutions/09_own_layer.ts"),
    loadChecks: () => import("./checks/09_own_layer.ts"),
  },
];

/** The SHA-256 of a lesson's file, the first 16 digits. */
export async function digestOf({ name }: Lesson): Promise<string> {
  const bytes = await Deno.readFile(new URL(`${name}.ts`, import.meta.url));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 16);
}

/** What is wrong with a lesson's exercise: nothing where it is done. What the lesson prints is not shown. */
export async function judge(device: Device, lesson: Lesson, load = lesson.load): Promise<string[]> {
  const { check } = await lesson.loadChecks();
  const { log } = console;
  console.log = () => {};
  try {
    return await check(device, await load() as never);
  } catch (error) {
    return [errorText(error, lesson.name)];
  } finally {
    console.log = log;
  }
}

/** Whether a lesson's exercise is done. To judge it is to run it, which takes a second: not if nobody has written into it. */
export async function isDone(requestDevice: () => Promise<Device>, lesson: Lesson): Promise<boolean> {
  if (await digestOf(lesson) === lesson.untouched) return false;
  return (await judge(await requestDevice(), lesson)).length === 0;
}
