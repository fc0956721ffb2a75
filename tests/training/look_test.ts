import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { Dropout, type Layer, Linear, ReLU } from "../../lib/core/layers.ts";
import { statistics } from "../../lib/reference/mod.ts";
import type { MeasuredTensor } from "../../lib/training/look.ts";
import { bits, gpuTest } from "../support/gpu_test_case.ts";
import { watchEpoch } from "../support/watch_epoch.ts";
import { randomRows, type SmallTraining, smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";

/** 50 rows in batches of 8, so that the last is short. */
function setUp(device: Device, rate: number, settings: SmallTrainingOptions = {}): SmallTraining {
  const layers: Layer[] = [new Linear(2, 16), new ReLU(), new Linear(16, 1)];
  if (rate > 0) layers.splice(2, 0, new Dropout(rate, { seed: 3 }));
  const base = { source: randomRows(50), batchSize: 8, optimizer: "adam", learningRate: 0.01 } as const;
  return smallTraining(device, { ...base, layers, ...settings });
}

/** Trains two epochs, and looks at some of the steps. */
async function train(device: Device, rate: number, settings: Parameters<typeof setUp>[2], every: number) {
  using run = setUp(device, rate, settings);
  const { trainer, model } = run;
  const looks = new Map<number, Promise<MeasuredTensor[]>>();
  const between = (step: number) => {
    if (every === 0) return Infinity;
    if (step % every === 0) looks.set(step + 1, trainer.lookAhead());
    return every - step % every;
  };
  const epochs = await Array.fromAsync(trainer.epochs(2, { between }));
  const losses = epochs.map(({ losses }) => bits(Float32Array.from(losses)));
  const seen = await Promise.all(looks.values());
  return { losses, values: await model.read(), gradients: await model.readGradients(), seen, steps: [...looks.keys()] };
}

const CASES: [string, number, Parameters<typeof setUp>[2]][] = [
  ["in one kernel", 0, {}],
  ["with dropout and clipping", 0.3, { clipNorm: 0.5 }],
  ["one operation at a time, with learning rates", 0.3, { plain: true, learningRates: (step) => 0.01 / (1 + step) }],
  ["over windows of rows", 0.3, { windowRows: 16 }],
];

for (const [name, rate, settings] of CASES) {
  gpuTest(`lookAhead() leaves training as it is, bit for bit, ${name}`, async (device) => {
    const { seen: _, steps: none, ...alone } = await train(device, rate, settings, 0);
    for (const every of [1, 3]) {
      const { seen, steps, ...watched } = await train(device, rate, settings, every);
      assertEquals([none.length, steps.length, seen.length], [0, Math.ceil(14 / every), Math.ceil(14 / every)]);
      assertEquals(watched, alone);
    }
  });
}

gpuTest("lookAhead() sees what the step then makes, in float64's measures", async (device) => {
  for (const settings of [{ plain: true }, { plain: true, windowRows: 16 }]) {
    const { seen } = await train(device, 0.3, settings, 1);
    using twin = setUp(device, 0.3, settings);
    for (let epoch = 0; epoch < 2; epoch++) {
      await watchEpoch(twin.trainer, (_, step, [__, ___, ...read]) => {
        const names = ["z1", "a1", "d1", "z2", "loss", "grad_logits"];
        names.push("grad_weight_2", "grad_bias_2", "grad_weight_1", "grad_bias_1");
        const looked = seen[step - 1];
        assertEquals(looked.map(({ name }) => name), names);
        assertEquals(looked.map(({ shape }) => shape), read.map(({ shape }) => shape));
        for (const [i, { name, mean, norm, ...exact }] of looked.entries()) {
          const data = read[i].data as Float32Array;
          const { mean: trueMean, norm: trueNorm, ...trueExact } = statistics(data);
          const { shape, ...rest } = exact;
          assertEquals(rest, trueExact, `${name} ${shape} of step ${step}`);
          assert(Math.abs(mean - trueMean) <= 1e-6 * Math.max(Math.abs(trueMean), trueNorm / data.length), name);
          assert(Math.abs(norm - trueNorm) <= 1e-6 * trueNorm, `norm of ${name}`);
        }
        if (step === 1) assert(looked[2].zeros > 0.2, "d1 has the zeros of dropout");
      });
    }
  }
});

gpuTest("lookAhead() refuses where no step is about to run", async (device) => {
  using run = setUp(device, 0);
  const { trainer } = run;
  const says = "Cannot look at the next step: none is about to run";
  await assertRejects(() => trainer.lookAhead(), TypeError, says);
  await Array.fromAsync(trainer.epochs(1, { between: (step) => 3 - step }));
  assertEquals((await trainer.lookAhead())[0].shape, [8, 16]);
  await Array.fromAsync(trainer.epochs(1));
  await assertRejects(() => trainer.lookAhead(), TypeError, says);
  const state = await trainer.snapshot();
  await Array.fromAsync(trainer.epochs(1, { between: (step) => 9 - step }));
  trainer.restore(state);
  await assertRejects(() => trainer.lookAhead(), TypeError, says);
});
