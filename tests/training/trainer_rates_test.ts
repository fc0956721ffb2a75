/** Learning rates by step, in steps that are recorded once. */
import { assertEquals, assertRejects } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { learningRateAt, type LearningRateSettings } from "../../lib/training/learning_rates.ts";
import { referenceAdamW, referenceNesterov, referenceSgd } from "../../lib/reference/mod.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest } from "../support/gpu_test_case.ts";
import { smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";
import { trainTwin } from "./twin_training.ts";

const ROWS = 23;
const BATCH = 5;
const STEPS_PER_EPOCH = 5;
const TOTAL = 50;
const SEED = 3;
const TWINS = { sgd: referenceSgd, nesterov: referenceNesterov, adamw: referenceAdamW };

const setUp = (device: Device, options: SmallTrainingOptions) =>
  smallTraining(device, { rows: ROWS, batchSize: BATCH, seed: SEED, learningRate: 0.5, ...options });

gpuTest("a Trainer with learning rates by step does what the float64 model does over 50 steps", async (device) => {
  const cases: [keyof typeof TWINS, LearningRateSettings][] = [
    ["sgd", { schedule: "step", learningRate: 0.2, every: 7, factor: 0.5, warmup: 3 }],
    ["nesterov", { schedule: "one-cycle", learningRate: 0.05 }],
    ["adamw", { schedule: "cosine", learningRate: 0.05, warmup: 12 }],
  ];
  for (const [optimizer, settings] of cases) {
    const learningRates = (step: number) => learningRateAt(settings, step, TOTAL);
    for (const options of [{}, { plain: true }, { windowRows: 10 }, { windowRows: 5 }]) {
      using setup = setUp(device, { optimizer, learningRates, ...options });
      const plan = { rows: ROWS, windowRows: options.windowRows ?? ROWS, batchSize: BATCH, seed: SEED, shuffle: true };
      const epochs = TOTAL / STEPS_PER_EPOCH;
      const twin = await trainTwin(setup.model, { ...plan, epochs, update: TWINS[optimizer](learningRates) });
      const found = await Array.fromAsync(setup.trainer.epochs(epochs));
      const lossesOf = (all: { losses: Iterable<number> }[]) => all.flatMap(({ losses }) => [...losses]);
      assertClose(lossesOf(found), lossesOf(twin.epochs), { rtol: 2e-4, atol: 1e-6 });
      Object.values(await setup.model.read()).forEach((values, i) =>
        assertClose(values, twin.weights[i].data, { rtol: 2e-4, atol: 2e-5 })
      );
    }
  }
});

gpuTest("each step has the rate of its number over all epochs, however the epochs are asked for", async (device) => {
  for (const windowRows of [undefined, 10]) {
    const learningRates = (step: number) => 2 ** -20 * (1 + step);
    using setup = setUp(device, { windowRows, learningRates });
    const { trainer, optimizer } = setup;
    const readRates = async () => {
      const first = trainer.step;
      const rates: number[] = [];
      for (let step = first + 1; step <= first + STEPS_PER_EPOCH; step++) {
        await Array.fromAsync(trainer.epochs(1, { between: (now) => step - now }));
        rates.push(...await optimizer.rate.read());
      }
      assertEquals(rates, Array.from({ length: STEPS_PER_EPOCH }, (_, i) => learningRates(first + i)));
    };
    await readRates();
    await Array.fromAsync(trainer.epochs(2));
    assertEquals([...await optimizer.rate.read()], [learningRates(14)]);
    await readRates();
    for await (const { epoch } of trainer.epochs(100)) if (epoch === 6) break;
    assertEquals([...await optimizer.rate.read()], [learningRates(trainer.step - 1)]);
    await readRates();
  }
});

gpuTest("what learningRates goes by may change in evaluate, from the next epoch on, exactly", async (device) => {
  const factors = [1, 0.5, 0.25, 0.125];
  let factor = 1;
  const learningRates = (step: number) => factor * 0.1 / (1 + step);
  using ahead = setUp(device, { learningRates });
  const evaluate = () => {
    factor = factors[ahead.trainer.epoch] ?? 1;
    return Promise.resolve();
  };
  await Array.fromAsync(ahead.trainer.epochs(factors.length, { evaluate }));
  using one = setUp(device, { learningRates });
  for (factor of factors) await Array.fromAsync(one.trainer.epochs(1));
  assertEquals(bits(await ahead.model.values.read()), bits(await one.model.values.read()));
});

gpuTest("learningRates that are constant change no bit, and cost one dispatch a step", async (device) => {
  for (const plain of [false, true]) {
    using scheduled = setUp(device, { plain, learningRates: () => 0.1 });
    using constant = setUp(device, { plain });
    constant.optimizer.learningRate = 0.1;
    assertEquals(scheduled.trainer.dispatchesPerStep, constant.trainer.dispatchesPerStep + 1);
    for (const { trainer } of [scheduled, constant]) await Array.fromAsync(trainer.epochs(3));
    assertEquals(bits(await scheduled.model.values.read()), bits(await constant.model.values.read()));
  }
});

gpuTest("an epoch of 1,000 steps with learningRates allocates and binds no more than one of 100", async (device) => {
  const spent = async (rows: number) => {
    using setup = setUp(device, { rows, learningRates: (step) => 0.01 / (1 + step) });
    await Array.fromAsync(setup.trainer.epochs(4)); // reads are as rare as they get
    const { allocations, bindGroups } = device.stats;
    await Array.fromAsync(setup.trainer.epochs(1));
    return [device.stats.allocations - allocations, device.stats.bindGroups - bindGroups];
  };
  const [allocations, bindGroups] = await spent(5_000);
  assertEquals([allocations <= (await spent(500))[0] + 6, bindGroups], [true, 0]);
});

gpuTest("a rate of 0 changes nothing; one that is no finite number from 0 on is refused", async (device) => {
  using still = setUp(device, { learningRates: () => 0 });
  const before = bits(await still.model.values.read());
  await Array.fromAsync(still.trainer.epochs(1));
  assertEquals(bits(await still.model.values.read()), before);
  for (const rate of [-0.1, NaN, Infinity, 1e39]) {
    using setup = setUp(device, { learningRates: (step) => step === 7 ? rate : 0.1 });
    const text = `Cannot use a learning rate of ${rate} in step 7: it must be a finite number from 0 on`;
    await assertRejects(() => Array.fromAsync(setup.trainer.epochs(3)), RangeError, text);
  }
});
