/** The usual mistakes, planted in a backward by hand: checkBackward() finds and names each. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkBackward } from "../../lib/check/check_backward.ts";
import { gpuTest } from "../support/gpu_test_case.ts";
import { type Bug, HandNetwork } from "../support/hand_network.ts";

/** What the cause must say. */
const SAYS: Record<Bug, RegExp> = {
  sign: /the sign is flipped/,
  two: /a factor of 2 is missing/,
  mean: /1\/n is missing/,
  transposed: /transposed/,
  gate: /gate of a ReLU/,
  axis: /wrong axis/,
  none: /never/,
};

const SHAPES: [shape: number[], softmax: boolean][] = [
  [[10, 1, 64, 1], false],
  [[3, 4, 3, 3], true],
  [[10, 2, 7, 3], true],
];

gpuTest("checkBackward() finds a right gradient right, under several seeds, with biases of 0 too", async (device) => {
  for (let seed = 0; seed < 2; seed++) {
    for (const [shape, softmax] of SHAPES) {
      for (const bias of [0, 0.3]) {
        using network = new HandNetwork(device, shape, softmax, seed, bias);
        const report = await network.check("none");
        assert(report.ok, `${shape}, seed ${seed}, bias ${bias}:\n${report}`);
      }
    }
  }
});

gpuTest("checkBackward() names each of six planted bugs in every gradient that it spoils", async (device) => {
  const spoiled: Record<Bug, string[]> = {
    sign: ["dW1", "db1", "dW2", "db2"],
    two: ["dW1", "db1", "dW2", "db2"],
    mean: ["dW1", "db1", "dW2", "db2"],
    transposed: ["dW2"],
    gate: ["dW1", "db1"],
    axis: ["db2"],
    none: [],
  };
  for (const [shape, softmax] of SHAPES) {
    using network = new HandNetwork(device, shape, softmax);
    for (const bug of Object.keys(SAYS) as Bug[]) {
      const report = await network.check(bug);
      const text = `${bug} in ${shape}:\n${report}`;
      assertEquals(report.filter(({ ok }) => !ok).map(({ name }) => name), spoiled[bug], text);
      for (const { ok, cause = "" } of report) assert(ok || SAYS[bug].test(cause), text);
    }
  }
});

gpuTest("checkBackward() finds and names a single wrong entry", async (device) => {
  using network = new HandNetwork(device, [10, 1, 64, 1], false);
  const right = network.gradients("none");
  for (const [name, tensor] of [["dW1", network.w1], ["db1", network.b1]] as const) {
    const values = await right[name].read();
    const entry = values.findIndex((value) => Math.abs(value) > 1);
    const wrong = values.with(entry, values[entry] * 1.02);
    right[name].write(wrong);
    const report = await checkBackward(device, network.loss, { [name]: [tensor, right[name]] });
    const [{ ok, wrong: count, worst, yours, nudged, cause }] = report;
    assertEquals([ok, count, worst.at(-1), yours], [false, 1, entry, wrong[entry]], `${report}`);
    assert(Math.abs(nudged / values[entry] - 1) < 1e-3, `${report}`);
    assertMatch(cause!, /the other entries are right/);
    assertMatch(`${report}`, new RegExp(`WRONG .* 64 entries, 1 wrong[^]*furthest off at \\[(0, )?${entry}\\]: yours`));
  }
  for (const tensor of Object.values(right)) tensor.dispose();
});
