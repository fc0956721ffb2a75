/** Lesson 2: it runs, its check knows the unfinished from the right, and names the usual mistakes. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { add, divide, equal, max, mean, min, norm, sqrt, square, subtract, sum, type Tensor } from "../../../mod.ts";
import { check } from "../../../tasks/lessons/checks/02_forward.ts";
import { judge, LESSONS } from "../../../tasks/lessons/course.ts";
import * as solution from "../../../tasks/lessons/solutions/02_forward.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { runLesson } from "./run_lesson.ts";

permittedGpuTest(
  "lesson 2 runs as it stands, with the tutorial's numbers, and raw data do not train",
  async (device) => {
    const { lesson, printed } = await runLesson(() => import("../../../tasks/lessons/02_forward.ts"));
    assertStringIncludes(printed, "z1 shape=[10, 64], min=-81.228, max=67.615");
    assertStringIncludes(printed, "z2 shape=[10, 1], min=1.000, max=4328.360");
    assertStringIncludes(printed, "z2 shape=[10, 1], min=65.000, max=129.000");
    assertEquals(printed.match(/: 6\.26e\+6, 1\.0\de\+17, Infinity, NaN, NaN/g)?.length, 2); // raw, and not scaled yet
    const wrong = await check(device, lesson);
    assertEquals(wrong.length, 1);
    assertStringIncludes(wrong[0], "nothing happened to it");
  },
);

permittedGpuTest("the solution of lesson 2 passes", async (device) => {
  assertEquals(await check(device, solution), []);
});

const centred = (x: Tensor) => subtract(x, mean(x, 0));
const deviation = (x: Tensor) => sqrt(mean(square(centred(x)), 0));
const whole = (x: Tensor) => subtract(x, mean(x));
const planted: [standardize: (x: Tensor) => Tensor, says: string][] = [
  [(x) => divide(subtract(x, min(x, 0)), subtract(max(x, 0), min(x, 0))), "scaled to a range of 1"],
  [(x) => divide(x, deviation(x)), "subtract the mean before you divide"],
  [centred, "divide by the deviation as well"],
  [(x) => divide(centred(x), mean(square(centred(x)), 0)), "take the square root first"],
  [(x) => divide(centred(x), sqrt(divide(sum(square(centred(x)), 0), x.shape[0] - 1))), "10 rows, not by 9"],
  [(x) => divide(whole(x), divide(norm(whole(x)), Math.sqrt(x.size))), "take mean and deviation over axis 0"],
  [(x) => divide(centred(x), deviation(x)), "column 1 of [8, 3]: mean 4 and deviation 0 became NaN and NaN"],
  [(x) => mean(x, 0), "standardize() makes [1] of [10, 1]"],
  [(x) => subtract(x, mean(x, 1)), "02_forward.ts: Cannot "],
  [(x) => add(x, equal(x, 0)), "nothing happened to it"],
];

for (const [standardize, says] of planted) {
  permittedGpuTest(`the check of lesson 2 says: ${says}`, async (device) => {
    assertStringIncludes((await judge(device, LESSONS[1], () => Promise.resolve({ standardize }))).join("\n"), says);
  });
}
