/** Lesson 7: it runs, its check knows the unfinished from the right, and names planted bugs. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { divide, exp, multiply, scale, softmax, softmaxBackward, softmaxCrossEntropy } from "../../../mod.ts";
import { subtract, sum, type Tensor } from "../../../mod.ts";
import { check, hints } from "../../../tasks/lessons/checks/07_softmax.ts";
import { judge, LESSONS } from "../../../tasks/lessons/course.ts";
import * as solution from "../../../tasks/lessons/solutions/07_softmax.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { runLesson } from "./run_lesson.ts";

type Backward = typeof solution.backward;

permittedGpuTest("lesson 7 compares each piece, and its check says that nothing is written yet", async (device) => {
  const { lesson, printed } = await runLesson(() => import("../../../tasks/lessons/07_softmax.ts"));
  assertEquals(printed.match(/approximate true/g)?.length, 7, printed);
  assertMatch(printed, /dLogits {3}exact (true|false) *approximate true/);
  assertMatch(printed, /by pieces: 2\d kernels run; fused: 1\n/);
  assertStringIncludes(printed, "by pieces: loss Infinity, dLogits NaN,NaN\nfused: loss 200, dLogits -1,1");
  const wrong = await check(device, lesson);
  assertEquals(wrong.length, 1);
  assertMatch(wrong[0], /^With 6 rows and 4 classes:\ndLogits {2}WRONG[^]*every entry is 0/);
});

permittedGpuTest("the solution of lesson 7 passes, and the last hint leads to it", async (device) => {
  assertEquals(await check(device, solution), []);
  assertStringIncludes(hints[2], "(softmax(logits) - target) / n");
});

permittedGpuTest("the check of lesson 7 names planted bugs", async (device) => {
  const shares = (logits: Tensor) => divide(exp(logits), sum(exp(logits), 1).reshape([logits.shape[0], 1]));
  const bugs: [Backward, RegExp][] = [
    [(logits, target) => subtract(softmax(logits), target), /1\/n is missing: it is n = 6 times too large/],
    [(logits, target) => scale(subtract(softmax(logits), target), 1 / 6), /^With 5 rows[^]*every entry must be 1\.2 /],
    [(logits, target) => scale(solution.backward(logits, target), -1), /the sign is flipped/],
    [
      (logits, target) => divide(subtract(shares(logits), target), logits.shape[0]),
      /large logits.*is now NaN.*softmax/,
    ],
    [softmaxCrossEntropy.backward, /that is the fused kernel/],
    [(logits, target) => {
      const s = softmax(logits);
      const all = softmaxBackward(s, divide(scale(target, -1 / logits.shape[0]), s));
      return multiply(all, 1);
    }, /runs 1\d kernels, where 10 are plenty/],
    [(logits) => softmax(softmax(logits).reshape([2])), /^07_softmax\.ts: Cannot reshape/],
  ];
  for (const [backward, found] of bugs) {
    assertMatch(
      (await judge(device, LESSONS[6], () => Promise.resolve({ backward }))).join("\n") || "nothing found",
      found,
    );
  }
});
