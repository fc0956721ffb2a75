/** Whatever a training runs is tested in the form in which it runs, and a kernel that is wrong there is found. */

import { assert, assertEquals } from "@std/assert";
import type { Kernel } from "../../kernels/mod.ts";
import { testKernels } from "../../lib/check/self_test.ts";
import { type ActivationName, ACTIVATIONS } from "../../lib/core/activations.ts";
import { multilayerPerceptron, type PerceptronOptions } from "../../lib/core/layers.ts";
import { bceWithLogits, LOSSES, softmaxCrossEntropy, weightedBceWithLogits } from "../../lib/core/losses.ts";
import type { OptimizerName } from "../../lib/core/optimizers.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import { Device } from "../../lib/gpu/device.ts";
import { examine, NormsLook } from "../../lib/inspect/sample_look.ts";
import { ALONE } from "../../lib/ranks/communicator.ts";
import { randomMatrix, upload } from "../support/gpu_test_case.ts";
import { smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";

/** A training: its network, and how it differs from a small one. */
type Case = Omit<SmallTrainingOptions, "layers"> & { hidden: number[] } & PerceptronOptions;

const OPTIMIZERS: OptimizerName[] = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"];

/** Large enough for products that are not plain; widths that divide by four, and that do not. */
const WIDE = { hidden: [32, 37], rows: 120, batchSize: 50, inputs: 9 };

/**
 * Trainings by what they are to show. Those of one group share a device, which compiles and tests a kernel once: each but the
 * first is there for the kernels that no other of its group has.
 */
const GROUPS: Readonly<Record<string, Case[]>> = {
  // Every loss, every number of hidden layers and every optimizer, with each other as they come.
  ...Object.fromEntries(OPTIMIZERS.map((optimizer, i) => {
    const loss = Object.values(LOSSES)[i % Object.keys(LOSSES).length];
    const hidden = Array(i % 4).fill(6);
    return [`small, ${optimizer}, ${loss.kind}`, [{ hidden, optimizer, loss, clipNorm: i % 2 === 0 ? 1 : undefined }]];
  })),
  wide: [
    ...(Object.keys(ACTIVATIONS) as ActivationName[]).map((activation) => ({ ...WIDE, activation })),
    { ...WIDE, hidden: [32, 36], targets: 4, optimizer: "adam", clipNorm: 1 },
    { ...WIDE, targets: 3, loss: softmaxCrossEntropy, dropout: 0.2 },
    { ...WIDE, loss: bceWithLogits, learningRates: () => 0.01 },
  ],
  "weighted bce": [{ hidden: [6], loss: weightedBceWithLogits([0.5, 2]) }],
  plain: [{ ...WIDE, plain: true }],
  windows: [{ hidden: [6], windowRows: 10, learningRates: () => 0.01 }],
  "steps of its own": [{ hidden: [6], group: { communicator: ALONE, syncEvery: 2 } }],
};

/** Trains an epoch, and looks at it in every way that `train` has; gives the kernels that were used, and the lines of their tests. */
async function trainExamined(device: Device, { hidden, activation, dropout, ...options }: Case) {
  const used: Kernel[] = [];
  const wrong: string[] = [];
  device.examineWith(async (kernels) => {
    used.push(...kernels);
    const checks = await testKernels(device, kernels);
    wrong.push(...checks.filter(({ ok }) => !ok).map(({ kernel, on }) => `${kernel} on ${on}`));
  });
  const { inputs = 2, targets = 1 } = options;
  const layers = multilayerPerceptron(inputs, hidden, targets, { activation, dropout });
  using setup = smallTraining(device, { ...options, layers });
  const { model, trainer } = setup;
  const { loss } = trainer.options;
  await device.examine();
  const beforeSteps = used.length;
  using x = upload(device, randomMatrix(40, inputs, 3));
  using y = upload(device, randomMatrix(40, targets, 4).map(Math.abs));
  const looks: Promise<unknown>[] = [];
  const between = () => {
    if (looks.length === 0) looks.push(trainer.lookAhead(), trainer.readAhead());
    return Infinity;
  };
  await Array.fromAsync(trainer.epochs(1, { between }));
  await Promise.all(looks);
  await trainer.snapshot();
  await examine(model, loss, x, y);
  using norms = new NormsLook(model, loss, x, y);
  await norms.take();
  using predictor = new Predictor(model, inputs, 40);
  await predictor.predict(x);
  return { used, wrong, beforeSteps };
}

/** All kernels of all trainings. */
const seen = new Set<Kernel>();

for (const products of ["blocks", "tiles"] as const) {
  Deno.test(`testKernels() has cases for all that a training and a look at it use: ${products}`, async () => {
    // Tiles take the software adapter long to compile, and small trainings have none.
    const isTried = ([name]: [string, Case[]]) => products === "blocks" || name === "wide";
    for (const [name, trainings] of Object.entries(GROUPS).filter(isTried)) {
      using device = await Device.request({ smallDispatches: true, products });
      const ofGroup: Kernel[] = [];
      for (const [i, given] of trainings.entries()) {
        const { used, wrong, beforeSteps } = await trainExamined(device, given);
        assertEquals([name, i, wrong], [name, i, []]);
        // What the steps of a later one use, the device may know.
        assert(i > 0 || beforeSteps >= 2, `${name}: what the steps use was not known before the first one`);
        ofGroup.push(...used);
      }
      assertEquals(ofGroup.length, new Set(ofGroup).size, `${name}: a kernel was examined twice`);
      if (products === "blocks") { for (const kernel of ofGroup) seen.add(kernel); }
    }
  });
}

Deno.test("testKernels() finds each kernel of a training that does nothing, in the very form that was used", async () => {
  assert(seen.size > 40, `${seen.size} kernels`);
  for (const kernel of seen) {
    const { code } = kernel;
    const text: { code: string } = kernel;
    text.code = code.replace(/(fn main\([^{]*\{)/, "$1\n  if (true) {\n    return;\n  }\n");
    assert(text.code !== code, kernel.name);
    try {
      using device = await Device.request({ smallDispatches: true, products: "blocks" });
      const checks = await testKernels(device, [kernel]);
      assertEquals([kernel.name, checks.every(({ ok }) => ok)], [kernel.name, false]);
    } finally {
      text.code = code;
    }
  }
});
