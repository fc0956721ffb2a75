/** deno task lesson: the list, a lesson, its check, hints, solution, and what it refuses. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { isDone, LESSONS } from "../../../tasks/lessons/course.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { permitted } from "../../support/permitted.ts";
import { Workplace } from "../../support/run_task_process.ts";

permitted("lesson lists the lessons, runs one, judges it, and helps with it", async () => {
  await using place = await Workplace.create();
  const { stdout } = await place.succeed("lesson");
  const listed = stdout.split("\n").filter((line) => /^(open|done) {2}\d {2}/.test(line));
  assertEquals(
    listed.map((line) => line.trim().split(" ").at(-1)),
    LESSONS.map(({ name }) => `tasks/lessons/${name}.ts`),
  );
  assertEquals(listed.filter((line) => !line.startsWith("open")), []);
  assertMatch((await place.succeed("lesson", ["1"])).stdout, /^loss shape=\[\], value=2\.250/m);
  const judged = await place.run("lesson", ["1", "--check"]);
  assertEquals([judged.code, judged.stderr], [1, ""]);
  assertMatch(
    judged.stdout,
    /^where z1 is .*: db1 {2}WRONG[^]*\nlesson 1: not yet right; deno task lesson 1 --hint helps\n$/,
  );
  const hint = await place.succeed("lesson", ["1", "--hint", "2"]);
  assertStringIncludes(hint.stdout, "\nhint 2 of 3; deno task lesson 1 --hint 3 says more\n");
  assertStringIncludes((await place.succeed("lesson", ["1", "--solution"])).stdout, "export function biasGradient(");
});

permittedGpuTest("an exercise is done once the file was written into and is right", async (device) => {
  const [lesson] = LESSONS;
  const request = () => Promise.resolve(device);
  const written = { ...lesson, untouched: "another file" };
  const states = [
    await isDone(() => Promise.reject(new Error("asked for a device")), lesson),
    await isDone(request, written),
    await isDone(request, { ...written, load: lesson.loadSolution }),
  ];
  assertEquals(states, [false, false, true]);
});

permitted("lesson refuses what there is not, and says what there is", async () => {
  await using place = await Workplace.create();
  const cases: Record<string, string> = {
    "0": `"0": there are lessons 1 to ${LESSONS.length}`,
    "x": `"x": there are lessons 1 to ${LESSONS.length}`,
    "1 2": '"2": lesson takes one number',
    "1 --hint 9": '--hint is "9": lesson 1 has hints 1 to 3',
    "1 --check --solution": "--check and --solution: lesson takes one of them",
    "--check": "--check needs the number of a lesson",
  };
  for (const [args, says] of Object.entries(cases)) await place.refuse(2, [says], "lesson", args.split(" "));
});
