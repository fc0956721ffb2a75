/** Training on a device that compiles a kernel wrong. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { relu, scale, sum } from "../../../lib/arithmetic/ops.ts";
import { Tensor } from "../../../lib/core/tensor.ts";
import { Device } from "../../../lib/gpu/device.ts";
import { PlainView } from "../../../tasks/show/plain_view.ts";
import { refuseWrongKernels } from "../../../tasks/training/kernel_checks.ts";
import { permitted } from "../../support/permitted.ts";
import { pathInProject, Workplace } from "../../support/run_task_process.ts";

/** Runs train where some kernels do nothing. */
function trainBroken(place: Workplace, kernels: string, args: readonly string[] = []) {
  const preload = pathInProject("tests/gpu/broken_kernel.ts");
  const run = ["run", "--config", pathInProject("deno.json"), "-A", "--no-check", "--preload", preload];
  const sizes = ["--num-dataset", "500", "--num-epochs", "2", "--hidden-size", "8"];
  const env = { BROKEN: kernels, SELF_TEST: "true" };
  return place.runDeno([...run, pathInProject("tasks/train.ts"), ...sizes, ...args], env);
}

permitted("train refuses a device whose kernels it uses and that are wrong, before there is a run", async () => {
  await using place = await Workplace.create();
  const broken: [kernels: string[], args: string[]][] = [
    [["wholeStep", "sgd", "notFinite"], []],
    [["matmulBlocks", "adam", "gelu"], [
      ..."--hidden-size 48,48 --batch-size 100 --optimizer adam --activation gelu".split(" "),
    ]],
  ];
  for (const [kernels, args] of broken) {
    const { code, stderr, stdout } = await trainBroken(place, kernels.join(), args);
    const [told] = stderr.match(/^error: Cannot train on .*: it gives wrong results for .* doctor.*/m) ?? [stderr];
    const named = new Set([...told.matchAll(/(\w+) on /g)].map(([_, kernel]) => kernel));
    assertEquals(
      [kernels.filter((kernel) => !named.has(kernel)), code, stdout.includes("epoch ")],
      [[], 1, false],
      told,
    );
  }
  const files = Object.keys(await place.digests("data"));
  assertEquals(files.filter((path) => path.startsWith("runs/")), []);
});

permitted(
  "train does not look at kernels that it does not use, and ends at one that comes into use later",
  async () => {
    await using place = await Workplace.create();
    const { code, stdout, stderr } = await trainBroken(place, "gelu");
    assertEquals([code, stderr], [0, ""]);
    assertMatch(stdout, /^device: .*; \d+ checks of \d+ kernels passed$/m);
    // The look at the layers after the first epoch uses it.
    const later = await trainBroken(place, "statistics", ["--run-name", "later"]);
    assertEquals(later.code, 1);
    assertStringIncludes(later.stderr, "it gives wrong results for statistics on ");
    const files = Object.keys(await place.digests("data/runs/later"));
    assertEquals(files.filter((name) => ["model.safetensors", "summary.json", "layers.jsonl"].includes(name)), []);
  },
);

permitted("large products run in the other form where the kernel of one is wrong", async () => {
  await using place = await Workplace.create();
  const { code, stderr } = await trainBroken(place, "matmulBlocks", ["--hidden-size", "96,96", "--batch-size", "full"]);
  assertMatch(
    stderr,
    /^adapter: products in tiles, because those in blocks fail: .* gives a wrong result for a product/,
  );
  assertEquals(code, 0);
});

Deno.test("checking kernels says how far it is: on a terminal in a line that goes away, elsewhere after 2 seconds", async () => {
  for (const isTerminal of [false, true]) {
    using device = await Device.request({ smallDispatches: true });
    const written: string[] = [];
    const printed: string[] = [];
    let time = 0;
    const screen = { isTerminal, write: (text: string) => void written.push(text), now: () => time += 800 };
    refuseWrongKernels(device, new PlainView(screen, (text) => printed.push(text)));
    using x = Tensor.from(device, [1, 2, 3]);
    device.tidy(() => void sum(relu(scale(x, 2))));
    await device.examine();
    if (isTerminal) {
      assertEquals(written.length, 4);
      assertMatch(written[1].replace("\r\x1b[K", ""), /^compiling and checking kernels .* 33% 1 of 3$/);
      assertEquals(written[3], "\r\x1b[K");
    } else {
      assertEquals(written, ["compiling and checking kernels 66% 2 of 3\n"]);
    }
    assertMatch(printed.join("\n"), /^device: .*; \d+ checks of 3 kernels passed$/);
    await relu(x).read(); // nothing is left to be checked
    assertEquals(printed.length, 1);
  }
});
