import { assertEquals, assertRejects } from "@std/assert";
import { Tensor } from "../../lib/core/tensor.ts";
import { print } from "../../lib/inspect/print.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

/** What a function prints. */
async function printed(body: () => Promise<void>): Promise<string[]> {
  const lines: string[] = [];
  const { log } = console;
  console.log = (line: string) => lines.push(line);
  try {
    await body();
  } finally {
    console.log = log;
  }
  return lines;
}

gpuTest("print() shows name, shape, smallest, largest and mean, in one wait", async (device) => {
  using z1 = Tensor.from(device, [[1, -2], [3, 4]]);
  using loss = Tensor.from(device, 13768.4126);
  using small = Tensor.from(device, [1e-5, -3e-5]);
  using bad = Tensor.from(device, [1, NaN]);
  using none = Tensor.zeros(device, [0]);
  assertEquals(await printed(() => print("z1", z1)), ["z1 shape=[2, 2], min=-2.000, max=4.000, mean=1.500"]);
  const { waits } = device.stats;
  assertEquals(await printed(() => print({ loss, small, bad, none })), [
    "loss shape=[], value=13768.413",
    "small shape=[2], min=-3.000e-5, max=1.000e-5, mean=-1.000e-5",
    "bad shape=[2], min=NaN, max=NaN, mean=NaN, 1 of 2 are NaN or infinite",
    "none shape=[0], empty",
  ]);
  assertEquals(device.stats.waits - waits, 1);
  for (const [value, found] of [[3, "a number"], [undefined, "undefined"], [[1], "an object"]]) {
    await assertRejects(
      () => print({ a: value as unknown as Tensor }),
      TypeError,
      `Cannot print a: it is ${found}, not a tensor; use console.log for it`,
    );
  }
});
