/** Lesson 5: it runs, its check knows the unfinished from the right, and names the usual mistakes. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { add, multiply, scale, subtract, type Tensor } from "../../../mod.ts";
import { check, type Lesson } from "../../../tasks/lessons/checks/05_cross_entropy.ts";
import * as solution from "../../../tasks/lessons/solutions/05_cross_entropy.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { runLesson } from "./run_lesson.ts";

type Gradients = ReturnType<Lesson["backward"]>;

/** The solution, with its gradients replaced. */
function planted(replace: (right: Gradients, a2: Tensor, y: Tensor) => Gradients): Lesson {
  return { ...solution, backward: (a2, y) => replace(solution.backward(a2, y), a2, y) };
}

permittedGpuTest("lesson 5 runs as it stands: the tutorial's start ends at log 2, few others learn", async (device) => {
  const { lesson, printed } = await runLesson(() => import("../../../tasks/lessons/05_cross_entropy.ts"));
  assertStringIncludes(printed, "dz2  right  [6, 1]");
  assertStringIncludes(printed, `the tutorial's start ${"▇".repeat(40)} 0.6931`);
  assertStringIncludes(printed, "5 of 20 starts learn XOR");
  const wrong = await check(device, lesson);
  assertEquals(wrong.length, 2);
  assertStringIncludes(wrong[0], "da2  WRONG  [7, 1]");
  const unchanged = await check(device, { ...solution, start: lesson.start });
  assertStringIncludes(unchanged.join(), "From 20 starts with 3 hidden units and deviation 0.1, 5 learn XOR");
});

permittedGpuTest("the solution of lesson 5 passes", async (device) => {
  assertEquals(await check(device, solution), []);
});

permittedGpuTest("the check of lesson 5 finds NaN where the sigmoid is at its end", async (device) => {
  const [only] = await check(
    device,
    planted(({ da2 }, a2) => ({ da2, dz2: multiply(da2, scale(multiply(a2, subtract(a2, 1)), -1)) })),
  );
  assertStringIncludes(only, "dz2 is right for small z2, but NaN at z2 = 40 and y = 0");
});

permittedGpuTest("the check of lesson 5 says which term of the loss is wrong", async (device) => {
  const flipped = (dA: Tensor, y: Tensor) => multiply(dA, add(scale(y, 2), -1));
  const [first] = await check(device, planted(({ da2, dz2 }, _, y) => ({ da2: scale(flipped(da2, y), -1), dz2 })));
  assertStringIncludes(first, "cause: right where y = 0, wrong where y = 1: look at the first term");
  const [second] = await check(device, planted(({ da2, dz2 }, _, y) => ({ da2, dz2: flipped(dz2, y) })));
  assertStringIncludes(second, "cause: right where y = 1, wrong where y = 0: look at the second term");
});

permittedGpuTest("the check of lesson 5 names a flipped sign, and 1/n that counts rows alone", async (device) => {
  const [sign] = await check(device, planted(({ da2, dz2 }) => ({ da2: scale(da2, -1), dz2 })));
  assertStringIncludes(sign, "da2  WRONG");
  assertStringIncludes(sign, "the sign is flipped");
  const [rows] = await check(device, planted(({ da2, dz2 }, _a2, y) => ({ da2, dz2: scale(dz2, y.shape[1]) })));
  assertStringIncludes(rows, "dz2  WRONG  [3, 4]");
  assertStringIncludes(rows, "1/n is missing: it is n = 4 times too large");
});
