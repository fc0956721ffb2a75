/** Lesson 3: it runs, its check knows the unfinished from the right, and names the usual mistakes. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { matmul, relu, scale, sum, type Tensor, transpose } from "../../../mod.ts";
import { check, hints, type Lesson } from "../../../tasks/lessons/checks/03_backward.ts";
import { judge, LESSONS } from "../../../tasks/lessons/course.ts";
import * as solution from "../../../tasks/lessons/solutions/03_backward.ts";
import { permittedGpuTest } from "../../support/gpu_test_case.ts";
import { runLesson } from "./run_lesson.ts";

type Gradients = Record<string, Tensor>;

/** The solution, with some of its gradients replaced. */
function planted(replace: (right: Gradients, x: Tensor, y: Tensor) => Gradients): Lesson {
  return {
    backward: (network, x, y) => {
      const right = solution.backward(network, x, y);
      return { ...right, ...replace(right, x, y) };
    },
  };
}

permittedGpuTest("lesson 3 runs as it stands, and its check says where to begin", async (device) => {
  const { lesson, printed } = await runLesson(() => import("../../../tasks/lessons/03_backward.ts"));
  assertStringIncludes(printed, "dx  right");
  assertStringIncludes(printed, "cause: the gate of a ReLU seems to be forgotten");
  const wrong = await check(device, lesson);
  assertEquals(wrong.length, 2);
  assertStringIncludes(wrong[0], "dz2  WRONG  [10, 1]");
  assertStringIncludes(wrong[1], "dW2, db2, da1, dz1, dW1, db1");
});

permittedGpuTest("the solution of lesson 3 passes, and the hints lead to it", async (device) => {
  assertEquals(await check(device, solution), []);
  for (const line of ["dz2 = ", "dz1 = ", "dW2 = ", "da1 = "]) assertStringIncludes(hints.join("\n"), line);
});

permittedGpuTest(
  "the check of lesson 3 names a gate that was forgotten, in dz1 and not in what follows",
  async (device) => {
    const [first, second] = await check(
      device,
      planted(({ da1 }, x) => ({ dz1: scale(da1, 1), dW1: matmul(transpose(x), da1), db1: sum(da1, 0) })),
    );
    assertStringIncludes(first, "dz1  WRONG");
    assertStringIncludes(first, "the gate of a ReLU seems to be forgotten");
    assertStringIncludes(second, "dW1, db1: wrong as well");
  },
);

permittedGpuTest("the check of lesson 3 names a gate that looks at the gradient", async (device) => {
  const [first] = await check(device, planted(({ da1 }) => ({ dz1: relu(da1) })));
  assertStringIncludes(first, "cause: your gate closes at the wrong places");
});

permittedGpuTest("the check of lesson 3 finds n that counts rows, which one output hides", async (device) => {
  const [only] = await check(device, planted(({ dz2 }, _x, y) => ({ dz2: scale(dz2, y.shape[1]) })));
  assertStringIncludes(only, "dz2  WRONG  [5, 2]");
  assertStringIncludes(only, "a factor of 2 is too many. Or does n count the rows? n is y.size: rows times columns");
});

permittedGpuTest("the check of lesson 3 names a transposed gradient, a missing one, and an error", async (device) => {
  assertStringIncludes((await check(device, planted(({ dW2 }) => ({ dW2: transpose(dW2) }))))[0], "it is transposed");
  for (const made of [{}, undefined]) {
    const forgets = { backward: () => made } as Lesson;
    assertEquals(await check(device, forgets), ["backward() returns no tensor dz2"]);
  }
  const fails: Lesson = { backward: (_network, x, y) => ({ dz2: matmul(x, y) }) };
  const [stopped] = await judge(device, LESSONS[2], () => Promise.resolve(fails));
  assertStringIncludes(stopped, "03_backward.ts: Cannot multiply a [10, 1] by b [10, 1]");
  const inFile: Lesson = { backward: (network, x, y) => solution.backward(network, transpose(x), y) };
  const [withLine] = await judge(device, LESSONS[2], () => Promise.resolve(inFile));
  assertMatch(withLine, /^03_backward\.ts, line 10: Cannot multiply /);
});
