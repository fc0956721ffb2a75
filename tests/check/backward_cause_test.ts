/** The usual mistakes, planted in a backward by hand: checkBackward() finds and names each. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkBackward } from "../../lib/check/check_backward.ts";
import { mse } from "../../lib/core/losses.ts";
import { mean, relu, square } from "../../lib/arithmetic/ops.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { permittedGpuTest } from "../support/gpu_test_case.ts";
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
  [[10, 1, 16, 1], false],
  [[3, 4, 3, 3], true],
  [[10, 2, 7, 3], true],
];

permittedGpuTest(
  "checkBackward() finds a right gradient right, under several seeds, with biases of 0 too",
  async (device) => {
    for (let seed = 0; seed < 2; seed++) {
      for (const [shape, softmax] of SHAPES) {
        for (const bias of [0, 0.3]) {
          using network = new HandNetwork(device, shape, softmax, seed, bias);
          const report = await network.check("none");
          assert(report.ok, `${shape}, seed ${seed}, bias ${bias}:\n${report}`);
        }
      }
    }
  },
);

permittedGpuTest("checkBackward() names each of six planted bugs in every gradient that it spoils", async (device) => {
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

permittedGpuTest("checkBackward() finds and names a single wrong entry", async (device) => {
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

/** Where z is above 0, a right gradient of mean((relu(z) - y)²) is 2 (z - y) / 6. */
const Z = [1, 2, -1, -2, 1.5, 0.5];
const Y = [2, 1, -1, 1, 3, 0.2];
const isOn = (i: number) => Z[i] > 0;
const da = (i: number) => 2 * (Math.max(0, Z[i]) - Y[i]) / 6;

permittedGpuTest(
  "checkBackward() tells a gate that is forgotten from one at the wrong places, and from neither",
  async (device) => {
    const gates: Record<string, [gradient: (i: number) => number, cause: RegExp | undefined]> = {
      forgotten: [da, /^the gate of a ReLU seems to be forgotten/],
      "by the sign of da": [(i) => Math.max(0, da(i)), /^your gate closes at the wrong places/],
      "by both": [(i) => isOn(i) ? Math.max(0, da(i)) : 0, /^your gate closes at the wrong places/],
      "there, and something else wrong": [(i) => isOn(i) ? da(i) * Z[i] : 0, undefined],
    };
    using z = Tensor.from(device, Z);
    using y = Tensor.from(device, Y);
    for (const [what, [gradient, cause]] of Object.entries(gates)) {
      using dz = Tensor.from(device, Z.map((_, i) => gradient(i)));
      const [found] = await checkBackward(device, () => mse.forward(relu(z), y), { dz: [z, dz] });
      assert(!found.ok, what);
      if (cause === undefined) assertEquals(found.cause, undefined, what);
      else assertMatch(found.cause!, cause, what);
    }
  },
);

permittedGpuTest("checkBackward() names no gate of one number, where anything might be the cause", async (device) => {
  using z = Tensor.from(device, 0.5);
  using dz = Tensor.from(device, 0.71); // for 2 z = 1
  const report = await checkBackward(device, () => square(relu(z)), { dz: [z, dz] });
  assertEquals([report.ok, report[0].cause], [false, undefined]);
  const says =
    /^dz {2}WRONG {2}\[\], 1 entry, 1 wrong: off by up to 29% of the largest entry\n +yours 0\.71, nudging gives 1$/;
  assertMatch(`${report}`, says);
});

permittedGpuTest(
  "checkBackward() names an n that is a length or a size of what it checks, if one is",
  async (device) => {
    const says: Record<number, RegExp> = {
      6: /^2\/n is missing, with n = 6: it is 3 times too large$/,
      5: /^1\/n is missing: it is n = 5 times too large, as if a sum stood for the mean$/,
    };
    for (const [factor, length] of [[3, 6], [5, 5]]) {
      using x = Tensor.from(device, Array.from({ length }, (_, i) => i + 1));
      using dx = Tensor.from(device, Array.from({ length }, (_, i) => factor * 2 * (i + 1) / length));
      const [{ cause }] = await checkBackward(device, () => mean(square(x)), { dx: [x, dx] });
      assertMatch(cause!, says[length]);
    }
  },
);
