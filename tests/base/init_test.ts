import { assert, assertEquals } from "@std/assert";
import { type Init, initialWeights } from "../../lib/base/init.ts";
import { Linear } from "../../lib/core/layers.ts";
import { Model } from "../../lib/core/model.ts";
import { Random } from "../../lib/base/random.ts";
import { gpuTest } from "../support/gpu_test_case.ts";

const INPUTS = 200;
const OUTPUTS = 300;

function draw(init: Init, seed = 3): Float32Array {
  return initialWeights(init, INPUTS, OUTPUTS, new Random(seed, "weights"));
}

function moment(values: Float32Array, power: number): number {
  return values.reduce((sum, value) => sum + value ** power, 0) / values.length;
}

Deno.test("initialWeights() draws normal weights of the right deviation, and uniform ones within the right bounds", () => {
  // 60,000 draws: standard errors of the normal moments 0.004, 0.006 and 0.04.
  const normal = { second: 1, fourth: 3, within: [0.02, 0.03, 0.2] };
  const uniform = { second: 1 / 3, fourth: 1 / 5, within: [0.012, 0.006, 0.006] };
  const cases: [Init, number, typeof normal][] = [
    [{ kind: "kaiming" }, Math.sqrt(2 / INPUTS), normal],
    [{ kind: "normal", scale: 0.3 }, 0.3, normal],
    [{ kind: "xavier" }, Math.sqrt(6 / (INPUTS + OUTPUTS)), uniform],
    [{ kind: "uniform", scale: 0.1 }, 0.1, uniform],
  ];
  for (const [init, unit, { second, fourth, within }] of cases) {
    const weights = draw(init).map((w) => w / unit);
    assertEquals(weights.length, INPUTS * OUTPUTS);
    const off = [moment(weights, 1), moment(weights, 2) - second, moment(weights, 4) - fourth];
    assert(off.every((by, i) => Math.abs(by) < within[i]), `${init.kind}: ${off}`);
    if (second === 1) continue;
    const [least, most] = weights.reduce(([a, b], w) => [Math.min(a, w), Math.max(b, w)], [0, 0]);
    assert(least >= -1 - 1e-6 && least < -0.999 && most <= 1 + 1e-6 && most > 0.999, `${least}, ${most}`);
  }
});

Deno.test("initialWeights() gives ones where asked, and the same weights for the same seed", () => {
  assert(draw({ kind: "ones" }).every((w) => w === 1));
  assertEquals(draw({ kind: "kaiming" }, 3), draw({ kind: "kaiming" }, 3));
  assert(draw({ kind: "kaiming" }, 3)[0] !== draw({ kind: "kaiming" }, 4)[0]);
});

gpuTest("a Model draws its layers' weights from one stream; its biases are 0, but 1 under ones", async (device) => {
  const kinds: Init[] = [{ kind: "kaiming" }, { kind: "xavier" }, { kind: "uniform", scale: 1 }, { kind: "ones" }];
  for (const init of [undefined, ...kinds]) {
    using model = new Model(device, [new Linear(3, 4), new Linear(4, 1)], { init, random: new Random(5, "weights") });
    const values = await model.read();
    const random = new Random(5, "weights");
    for (const [i, [inputs, outputs]] of [[3, 4], [4, 1]].entries()) {
      assertEquals(values[`${i}.weight`], initialWeights(init ?? { kind: "kaiming" }, inputs, outputs, random));
      assertEquals(values[`${i}.bias`], new Float32Array(outputs).fill(init?.kind === "ones" ? 1 : 0));
    }
  }
});
