import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { EarlyStopping } from "../../lib/training/early_stopping.ts";
import { Plateau, type PlateauOptions } from "../../lib/training/plateau.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { bits, gpuTest } from "../support/gpu_test_case.ts";
import { type SmallTraining, smallTraining } from "../support/small_training.ts";

Deno.test("Plateau.observe() reduces the rate after as many epochs without a better loss, and waits as many again", () => {
  const cases: [PlateauOptions, losses: number[], rates: number[]][] = [
    [{ patience: 2, factor: 0.5 }, [3, 2, 2, 2, 2, 2, 2], [8, 8, 8, 4, 4, 2, 2]],
    [{ patience: 1, factor: 0.5 }, [3, 3, 2, 2.5, 1], [8, 4, 4, 2, 2]],
    // A better loss starts the count again; it is held to the best, not to the last.
    [{ patience: 2, factor: 0.5 }, [3, 4, 2, 5, 4, 3], [8, 8, 8, 8, 4, 4]],
    [{ patience: 1, factor: 0.25, minRate: 1 }, [1, 1, 1, 1], [8, 2, 1, 1]],
    [{ patience: 1, factor: 0.5, minDelta: 0.5 }, [3, 2.75, 2.25, 1.75], [8, 4, 4, 2]],
    [{ patience: 1, factor: 0.5 }, [NaN, 1, NaN, Infinity], [4, 4, 2, 1]],
    [{}, [1, ...Array(11).fill(1)], [...Array(10).fill(8), 0.8, 0.8]],
  ];
  for (const [options, losses, rates] of cases) {
    const plateau = new Plateau(8, options);
    assertEquals([plateau.learningRate, plateau.factor], [8, 1]);
    assertEquals(losses.map((loss) => plateau.observe(loss)), rates);
    assertEquals([plateau.learningRate, plateau.factor], [rates.at(-1)!, rates.at(-1)! / 8]);
  }
});

Deno.test("Plateau refuses settings out of range", () => {
  const cases: [number, PlateauOptions, string][] = [
    [0, {}, "Cannot reduce a learning rate of 0: it must be a finite number over 0"],
    [Infinity, {}, "Cannot reduce a learning rate of Infinity"],
    [1, { factor: 1 }, "Cannot reduce a learning rate by a factor of 1: it must be over 0 and below 1"],
    [1, { factor: 0 }, "Cannot reduce a learning rate by a factor of 0"],
    [1, { minRate: 2 }, "Cannot use a minRate of 2: it must be from 0 to the learning rate 1"],
    [1, { minRate: NaN }, "Cannot use a minRate of NaN"],
    [1, { patience: 0 }, "Cannot wait for 0 epochs: patience must be a whole number from 1 on"],
    [1, { patience: 1.5 }, "Cannot wait for 1.5 epochs"],
    [1, { minDelta: -1 }, "Cannot use a minDelta of -1: it must be a finite number from 0 on"],
  ];
  for (const [rate, options, text] of cases) assertThrows(() => new Plateau(rate, options), RangeError, text);
});

/** A small training, and something that watches over it. */
function setUp(device: Device, patience: number): SmallTraining & { stopping: EarlyStopping } {
  const training = smallTraining(device, { optimizer: "adam" });
  const stopping = new EarlyStopping(training.model, { patience, minDelta: 0.25 });
  const free = () => [stopping, training].forEach((part) => part[Symbol.dispose]());
  return { ...training, stopping, [Symbol.dispose]: free };
}

gpuTest("EarlyStopping.restore() gives back the weights of the best epoch, bit for bit", async (device) => {
  using setup = setUp(device, 3);
  const { model, trainer, stopping } = setup;
  const weights: Uint32Array[] = [];
  const stops: boolean[] = [];
  for (const loss of [5, NaN, 4, 3, 2.9, 3.5, 2.8]) { // the last are no better by minDelta
    await Array.fromAsync(trainer.epochs(1));
    stops.push(stopping.observe(loss));
    weights.push(bits(await model.values.read()));
  }
  assertEquals(stops, [false, false, false, false, false, false, true]);
  assertEquals([stopping.bestEpoch, stopping.bestLoss], [4, 3]);
  assertNotEquals(weights[6], weights[3]);
  stopping.restore();
  assertEquals(bits(await model.values.read()), weights[3]);
  // Training may continue, and a later best replaces the one before.
  await Array.fromAsync(trainer.epochs(1));
  const later = bits(await model.values.read());
  assertEquals(stopping.observe(1), false);
  await Array.fromAsync(trainer.epochs(1));
  stopping.restore();
  assertEquals(bits(await model.values.read()), later);
});

gpuTest("EarlyStopping keeps weights without a wait or an allocation", async (device) => {
  using setup = setUp(device, 3);
  await Array.fromAsync(setup.trainer.epochs(1));
  const { allocations, waits } = device.stats;
  for (const loss of [5, 4, 3]) setup.stopping.observe(loss);
  setup.stopping.restore();
  assertEquals([device.stats.allocations, device.stats.waits], [allocations, waits]);
});

gpuTest("EarlyStopping that saw no number leaves the weights as they are, and stops all the same", async (device) => {
  using setup = setUp(device, 2);
  await Array.fromAsync(setup.trainer.epochs(1));
  const before = bits(await setup.model.values.read());
  assertEquals([NaN, NaN].map((loss) => setup.stopping.observe(loss)), [false, true]);
  assertEquals([setup.stopping.bestEpoch, setup.stopping.bestLoss], [0, Infinity]);
  setup.stopping.restore();
  assertEquals(bits(await setup.model.values.read()), before);
});

gpuTest("EarlyStopping refuses settings out of range, and leaves nothing behind", (device) => {
  using values = Tensor.zeros(device, [4]);
  assertThrows(() => new EarlyStopping({ values }, { patience: 0 }), RangeError, "Cannot wait for 0 epochs");
  assertThrows(() => new EarlyStopping({ values }, { minDelta: NaN }), RangeError, "Cannot use a minDelta of NaN");
});
