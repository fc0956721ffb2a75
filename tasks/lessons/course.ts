/** The lessons in their order. */

import type { Device } from "../../mod.ts";

/** What a lesson's check file has. `lesson` is what the learner's file, or the solution, exports. */
interface Checks {
  readonly hints: readonly string[];
  check(device: Device, lesson: never): Promise<string[]>;
}

export interface Lesson {
  /** Its file in this folder, without `.ts`. */
  readonly name: string;
  readonly point: string;
  /** Runs the file, and gives what it exports. */
  readonly load: () => Promise<unknown>;
  readonly loadSolution: () => Promise<unknown>;
  readonly loadChecks: () => Promise<Checks>;
}

export const LESSONS: readonly Lesson[] = [
  {
    name: "01_chain",
    point: "a gradient is a nudge; the chain rule",
    load: () => import("./01_chain.ts"),
    loadSolution: () => import("./solutions/01_chain.ts"),
    loadChecks: () => import("./checks/01_chain.ts"),
  },
];

/** What is wrong with a lesson's exercise: nothing where it is done. What the lesson prints is not shown. */
export async function judge(device: Device, lesson: Lesson, load = lesson.load): Promise<string[]> {
  const { check } = await lesson.loadChecks();
  const { log } = console;
  console.log = () => {};
  try {
    return await check(device, await load() as never);
  } catch (error) {
    return [`${lesson.name}.ts stops with an error: ${error instanceof Error ? error.message : error}`];
  } finally {
    console.log = log;
  }
}
