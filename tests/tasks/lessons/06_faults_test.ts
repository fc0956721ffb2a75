/** Lesson 6: it runs, its check knows the unfinished from the right, and says what a diagnosis overlooks. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { check, hints, type Lesson } from "../../../tasks/lessons/checks/06_faults.ts";
import * as solution from "../../../tasks/lessons/solutions/06_faults.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { runLesson } from "./run_lesson.ts";

permittedGpuTest(
  "lesson 6 shows each fault, with the tutorial's numbers of ones, and is unfinished",
  async (device) => {
    const { lesson, printed } = await runLesson(() => import("../../../tasks/lessons/06_faults.ts"));
    const [healthy, ones, dead, large] = printed.split("\n\n");
    assertMatch(healthy, /step 100: loss 0\.30.*\nw1 holds 64 different/);
    assertStringIncludes(ones, "z1 shape=[10, 64], min=-0.081, max=2.610");
    assertStringIncludes(ones, "z2 shape=[10, 1], min=1.000, max=168.025");
    assertMatch(ones, /dW1 shape=\[1, 64\], min=(.*), max=\1, .*\n/);
    assertMatch(ones, /w1 holds 1 different/);
    assertMatch(dead, /step 100: loss 2\.19, norm of dW1 0\.00, of dW2 0\.00/);
    assertMatch(large, /step 8: loss NaN/);
    const wrong = await check(device, lesson);
    assertEquals(wrong.map((text) => text.split(",")[0]), [
      "a network of ones",
      "a network whose units are all dead",
      "a network with two dead units",
      "a network whose loss grows",
      "a network whose loss becomes NaN",
    ]);
  },
);

permittedGpuTest("the solution of lesson 6 passes, and the last hint leads to it", async (device) => {
  assertEquals(await check(device, solution), []);
  assertStringIncludes(hints[2], "!(losses[losses.length - 1] <= losses[0])");
});

permittedGpuTest("the check of lesson 6 says what a diagnosis overlooks", async (device) => {
  const { diagnose } = solution;
  const bugs: [Lesson, RegExp][] = [
    [
      { diagnose: (seen) => seen.on.every((rows) => rows > 0) ? diagnose(seen) : "all alike" },
      /^a network whose units are all dead, 8 hidden units: you say "all alike", wanted "dead units".*ask about `on` first/,
    ],
    [
      { diagnose: (seen) => diagnose({ ...seen, on: [Math.max(...seen.on)] }) },
      /^a network with two dead units, 8 hidden units: you say "healthy".*whether any unit/,
    ],
    [
      { diagnose: (seen) => seen.losses[4] > seen.losses[0] ? "rate too large" : diagnose({ ...seen, losses: [0] }) },
      /^a network whose loss becomes NaN, 8.*you say "healthy".*comparison with NaN is false/,
    ],
    [
      { diagnose: (seen) => seen.on.length === 8 ? diagnose(seen) : "healthy" },
      /^a network of ones, 20 hidden units: you say "healthy"/,
    ],
    [
      {
        diagnose: () => {
          throw new Error("lost");
        },
      },
      /^a healthy network, 8 hidden units: you say an error, lost/,
    ],
  ];
  for (const [lesson, found] of bugs) assertMatch((await check(device, lesson)).join("\n") || "nothing found", found);
});
