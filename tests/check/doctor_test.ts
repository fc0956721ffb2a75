/** deno task gradcheck, doctor and the list of tasks, and every task on a machine without an adapter. */

import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { kernels } from "../../kernels/mod.ts";
import { checkGradients, gradientCases } from "../../lib/check/gradcheck.ts";
import { permittedGpuTest } from "../support/gpu_test_case.ts";
import { NO_ADAPTER, pathInProject, readTasks, Workplace } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";

/** What stderr may hold: where compiling takes longer than two seconds, as it does at the first time, the task says so. */
const COMPILING = /^(compiling and checking kernels +\d+% \d+ of \d+( networks)?\n)*$/;

/** A row of gradcheck's table. */
interface Row {
  checked: string;
  of: string;
  entries: number;
  float64: number;
  gpu: number;
  verdict: string;
}

function gradientsOf(stdout: string): Row[] {
  const rows = stdout.matchAll(/^(\S.*?) {2,}(\S+) +(\d+) +(\d\.\de[+-]\d+) +(\d\.\de[+-]\d+) {2,}(\w+)$/gm);
  return [...rows].map(([_, checked, of, entries, float64, gpu, verdict]) => {
    return { checked, of, entries: Number(entries), float64: Number(float64), gpu: Number(gpu), verdict };
  });
}

permittedGpuTest(
  "gradcheck shows a row for each layer, loss and parameter, all right, and those of its seed",
  async (device) => {
    await using place = await Workplace.create();
    const seed = 4294967295;
    const { stdout, stderr } = await place.succeed("gradcheck", ["--hidden-size", "6,4", "--seed", `${seed}`]);
    const rows = gradientsOf(stdout);
    const named = rows.map(({ checked, of }) => `${checked}: ${of}`);
    const parameters = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"];
    const wanted = [
      ...["Linear", "ReLU", "Sigmoid", "mse", "bce", "network, mse", "network, bce"].map((checked) =>
        `${checked}: input`
      ),
      ...["0.weight", "0.bias"].map((of) => `Linear: ${of}`),
      ...parameters.flatMap((of) => [`network, mse: ${of}`, `network, bce: ${of}`]),
    ];
    assertEquals(wanted.filter((name) => !named.includes(name)), [], stdout);
    // Far within the tolerances, which are no measure of the right answer.
    const isWrong = ({ float64, gpu, verdict }: Row) => !(verdict === "ok" && float64 < 1e-7 && gpu < 1e-4);
    assertEquals(rows.filter(isWrong), []);
    assertEquals(rows.find(({ checked, of }) => checked === "network, mse" && of === "2.weight")?.entries, 6 * 4);
    assertStringIncludes(stdout, `${rows.length} gradients are right, 0 wrong`);
    for (const column of ["network", "gradient of", "entries nudged", "float64 off", "GPU off"]) {
      assertMatch(stdout, new RegExp(`^${column} {2,}[a-z]`, "m"), "the legend explains each column");
    }
    assertMatch(stderr, COMPILING);
    assertEquals([stdout.includes("\x1b"), await place.digests()], [false, {}]);
    // check/gradcheck_test.ts tests all networks under a third seed.
    const [first] = gradientCases([6, 4]);
    const printed = rows.filter(({ checked }) => checked === first.name).map(({ float64 }) => float64);
    const under = async (seed: number) =>
      (await checkGradients(device, first, seed)).map(({ finiteDifference }) =>
        Number(finiteDifference.toExponential(1))
      );
    assertEquals(printed, await under(seed));
    assertNotEquals(printed, await under(42), "the errors are the same to the last digit");
  },
);

permitted("doctor shows the adapter, its limits, and each kernel held to the reference", async () => {
  await using place = await Workplace.create();
  const { stdout, stderr } = await place.succeed("doctor");
  for (const line of ["adapter", "driver", "largest buffer", "largest binding", "workgroups a dimension"]) {
    assertMatch(stdout, new RegExp(`^${line} {2,}\\S`, "m"));
  }
  const checks = [...stdout.matchAll(/^(\w+) +\S.* {2,}\d\.\de[+-]\d+ {2}(\w+)$/gm)];
  assertEquals(checks.filter(([_1, _2, verdict]) => verdict !== "ok"), []);
  const names = new Set(checks.map(([_, name]) => name));
  assertEquals(Object.keys(kernels).filter((name) => !names.has(name)), [], "kernels without a row");
  assertStringIncludes(stdout, `all ${checks.length} kernel checks passed`);
  assertMatch(stderr, COMPILING);
  assertEquals([stdout.includes("\x1b"), await place.digests()], [false, {}]);
});

permitted("every task that needs an adapter says so where there is none, and writes over nothing", async () => {
  await using place = await Workplace.inSeries("train");
  const flags = ["--num-dataset", "100", "--num-epochs", "1"];
  await place.succeed("train", flags);
  for (const [task, args] of Object.entries({ train: flags, doctor: [], gradcheck: [], predict: ["1"] })) {
    const { stderr } = await place.refuse(1, ["no adapter", "deno task setup"], task, args, NO_ADAPTER);
    assertEquals(stderr.trim().split("\n").length, 1, `${task} says more than one line: ${stderr}`);
  }
  assertEquals(Object.keys(await place.digests("data/runs")).filter((path) => !path.startsWith("default_run/")), []);
});

permitted("deno task lists every task with a description", async () => {
  await using place = await Workplace.create();
  const { code, stdout, stderr } = await place.runDeno(["task", "--config", pathInProject("deno.json")], {
    NO_COLOR: "1",
  });
  assertEquals(code, 0);
  const listed = [...(stdout + stderr).matchAll(/^- (\S+)\n +\/\/ (.+)$/gm)].map(([_, name, text]) => [name, text]);
  const tasks = (
    "setup gen-data scale train train-mpi tune tune-mpi compare predict evaluate export report explain gradcheck lesson doctor " +
    "playground bench bench-mpi quality pictures test soak"
  ).split(" ");
  assertEquals(listed.map(([name]) => name), tasks);
  for (const [name, text] of listed) assert(text.length >= 20, `${name} has no description: ${text}`);
  assertEquals(Object.keys(await readTasks()), tasks);
});
