/** Lesson 4: it runs, its check names the missing 2, and finds what only works for some shapes. */
import { assertEquals, assertMatch } from "@std/assert";
import { scale, type Tensor, transpose } from "../../../mod.ts";
import { check, type Lesson } from "../../../tasks/lessons/checks/04_sgd.ts";
import * as solution from "../../../tasks/lessons/solutions/04_sgd.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { runLesson } from "./run_lesson.ts";

/** The solution, with its gradients changed. */
function planted(change: (right: ReturnType<Lesson["gradients"]>, x: Tensor) => object): Lesson {
  return {
    gradients: (network, x, y) => {
      const right = solution.gradients(network, x, y);
      return { ...right, ...change(right, x) };
    },
  };
}

permittedGpuTest("lesson 4 runs as it stands, and its check names the missing 2 in each gradient", async (device) => {
  const { lesson, printed } = await runLesson(() => import("../../../tasks/lessons/04_sgd.ts"));
  assertMatch(printed, /shuffled, batches of 20\n(epoch.*\n){3}epoch 60: loss 0\.01\d.*\nw1 times w2: 1\.9\d, 1\.9\d/);
  const wrong = await check(device, lesson);
  assertEquals(wrong.length, 2);
  for (const text of wrong) assertEquals(text.match(/cause: a factor of 2 is missing/g)?.length, 4, text);
});

permittedGpuTest("the solution of lesson 4 passes", async (device) => {
  assertEquals(await check(device, solution), []);
});

permittedGpuTest("the check of lesson 4 names planted bugs", async (device) => {
  const bugs: [Lesson, RegExp][] = [
    [planted(({ db1 }) => ({ db1: scale(db1, -1) })), /db1 {2}WRONG[^]*the sign is flipped/],
    [planted(({ dW1 }, x) => ({ dW1: scale(dW1, x.shape[0]) })), /dW1 {2}WRONG[^]*n = 8 times too large/],
    [planted(({ dW2 }) => ({ dW2: transpose(dW2) })), /dW2[^]*the shape is \[1, 2\], but must be \[2, 1\]/],
    [planted(() => ({ db2: undefined })), /gradients\(\) returns no tensor db2/],
  ];
  for (const [lesson, found] of bugs) assertMatch((await check(device, lesson))[0] ?? "nothing found", found);
});

permittedGpuTest("the check of lesson 4 is not fooled by a factor that is right for 8 rows only", async (device) => {
  const [only, ...more] = await check(device, planted(({ dW1 }, x) => ({ dW1: scale(dW1, x.shape[0] / 8) })));
  assertEquals(more, []);
  assertMatch(only, /^With 5 rows and 3 hidden units:\ndW1 {2}WRONG/);
});
