/** How a lesson is tested: as it stands, with its solution, and with bugs that its check must find. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { digestOf, judge, LESSONS } from "../../../tasks/lessons/course.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";

/** What a learner might write, and what the check must say of it. */
interface Wrong {
  readonly exports: unknown;
  readonly says: string | RegExp;
}

/** Registers the tests of a lesson, counted from 1. */
export function testLesson(number: number, bugs: Readonly<Record<string, Wrong>>): void {
  const lesson = LESSONS[number - 1];
  permittedGpuTest(`lesson ${number} runs as it stands, is not done, and its solution is right`, async (device) => {
    const digest = await digestOf(lesson);
    assertEquals(
      digest,
      lesson.untouched,
      `the file has changed: write untouched: "${digest}" into tasks/lessons/course.ts`,
    );
    assert((await judge(device, lesson)).length > 0, "the exercise is done already");
    assertEquals(await judge(device, lesson, lesson.loadSolution), []);
    const { hints } = await lesson.loadChecks();
    assert(hints.length >= 2);
  });
  for (const [name, { exports, says }] of Object.entries(bugs)) {
    permittedGpuTest(`lesson ${number} finds ${name}`, async (device) => {
      const text = (await judge(device, lesson, () => Promise.resolve(exports))).join("\n");
      if (typeof says === "string") assertStringIncludes(text, says);
      else assertMatch(text, says);
    });
  }
}
