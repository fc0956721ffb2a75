/** Training on rows that are brought to the GPU window by window. */
import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { Linear } from "../../lib/core/layers.ts";
import { EpochPlan } from "../../lib/training/epoch_plan.ts";
import { referenceSgd } from "../../lib/reference/mod.ts";
import { ArrayRows, type RowBlock, type RowSource } from "../../lib/data/row_source.ts";
import { writeSafetensors } from "../../lib/safetensors/reader.ts";
import { SafetensorsRows } from "../../lib/safetensors/rows.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest, permittedGpuTest } from "../support/gpu_test_case.ts";
import { trainTwin } from "./twin_training.ts";
import { watchEpoch } from "../support/watch_epoch.ts";
import { randomRows, smallTraining, type SmallTrainingOptions, trainedBits } from "../support/small_training.ts";
import { temporaryFile } from "../support/temp_files.ts";

/** Rows of another source, each read going through a function. */
function through(rows: RowSource, read: (start: number, count: number) => Promise<RowBlock>): RowSource {
  return { rows: rows.rows, inputs: rows.inputs, targets: rows.targets, read };
}

const setUp = (device: Device, options: SmallTrainingOptions = {}) =>
  smallTraining(device, { windowRows: 10, ...options });

/** A weight of 1, a bias of 0 and hardly any learning: z1 is a row's first input. */
function oneWeight(device: Device, options: SmallTrainingOptions & { source: RowSource }) {
  const { inputs } = options.source;
  const setup = setUp(device, { layers: [new Linear(inputs, 1)], learningRate: 1e-12, seed: 2, ...options });
  setup.model.load({ "0.weight": Float32Array.from({ length: inputs }, (_, i) => i === 0 ? 1 : 0), "0.bias": [0] });
  return setup;
}

async function rowsSeen({ trainer }: ReturnType<typeof oneWeight>): Promise<number[]> {
  const seen: number[] = [];
  await watchEpoch(trainer, ({ z1 }) => void seen.push(...z1.map(Math.round)));
  return seen;
}

gpuTest("every row appears exactly once an epoch, over windows too, each time in another order", async (device) => {
  const shapes = [[23, 10, 5], [21, 10, 5], [20, 10, 10], [17, 4, 2], [9, 9, 4], [17, 17, 3], [17, 17, 5], [
    17,
    17,
    17,
  ]];
  for (const [rows, windowRows, batchSize] of shapes) {
    const numbers = Float32Array.from({ length: rows }, (_, i) => i);
    const source = new ArrayRows(numbers, new Float32Array(rows), 1);
    using setup = oneWeight(device, { source, windowRows, batchSize });
    const { windows, stepsPerEpoch } = setup.trainer;
    const plan = new EpochPlan({ rows, windowRows, batchSize, seed: 2, shuffle: true });
    assertEquals([windows, stepsPerEpoch], [Math.ceil(rows / windowRows), Math.ceil(rows / batchSize)]);
    const orders: number[][] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      const seen = await rowsSeen(setup);
      const planned = [...plan.visits(epoch, 1)].flatMap((visit) => [...plan.order(visit)].map((i) => visit.start + i));
      assertEquals(seen, planned);
      assertEquals(seen.toSorted((a, b) => a - b), [...numbers]);
      if (epoch > 0) assertNotEquals(seen, orders.at(-1));
      orders.push(seen);
    }
  }
});

gpuTest("epochs() does what the float64 model does, over windows too, short batches included", async (device) => {
  const cases: SmallTrainingOptions[] = [{}, { shuffle: false }, { windowRows: 10 }, { rows: 21, windowRows: 10 }];
  for (const { rows = 23, windowRows, shuffle = true } of cases) {
    const options = { rows, batchSize: 5, seed: 3, shuffle };
    using setup = smallTraining(device, { ...options, windowRows, learningRate: 0.1 });
    const update = referenceSgd(0.1);
    const twin = await trainTwin(setup.model, { ...options, windowRows: windowRows ?? rows, epochs: 3, update });
    for (const { epoch, losses, loss } of await Array.fromAsync(setup.trainer.epochs(3))) {
      const expected = twin.epochs[epoch - 1];
      assertClose([losses[0]], [expected.losses[0]], { rtol: 1e-5, atol: 0 });
      assertClose(losses, expected.losses, { rtol: 1e-4 });
      assertClose([loss], [expected.loss], { rtol: 1e-4 });
    }
    Object.values(await setup.model.read()).forEach((values, i) =>
      assertClose(values, twin.weights[i].data, { rtol: 1e-4, atol: 1e-5 })
    );
  }
});

gpuTest("windows give the bits of rows on the GPU, if they hold all or keep their order", async (device) => {
  for (const shuffle of [true, false]) {
    using onGpu = smallTraining(device, { optimizer: "adam", shuffle });
    const resident = await Array.fromAsync(onGpu.trainer.epochs(3));
    for (const windowRows of [23, 25, 1000, undefined]) {
      using streamed = setUp(device, { source: randomRows(23), windowRows, optimizer: "adam", shuffle });
      assertEquals(streamed.trainer.windows, 1);
      assertEquals(await Array.fromAsync(streamed.trainer.epochs(3)), resident);
      assertEquals(bits(await streamed.model.values.read()), bits(await onGpu.model.values.read()));
    }
  }

  const rows = randomRows(43);
  const whole = await trainedBits(device, { source: rows, windowRows: 43, shuffle: false });
  for (const windowRows of [5, 10, 40]) {
    assertEquals(await trainedBits(device, { source: rows, windowRows, shuffle: false }), whole, `${windowRows}`);
  }
  assertNotEquals(await trainedBits(device, { source: rows, windowRows: 10 }), whole);
});

gpuTest("the same seed and windows give the same bits, however long the source takes", async (device) => {
  const rows = randomRows(203);
  const options = { source: rows, windowRows: 20, seed: 7 };
  const first = await trainedBits(device, options);
  assertEquals(await trainedBits(device, options), first);
  assertNotEquals(await trainedBits(device, { ...options, seed: 8 }), first);
  let reads = 0;
  const slow = through(rows, async (start, count) => {
    await new Promise((resolve) => setTimeout(resolve, reads++ % 3 * 4));
    return await rows.read(start, count);
  });
  assertEquals(await trainedBits(device, { ...options, source: slow }), first);
});

permittedGpuTest("rows in a file give the bits of rows in memory", async (device) => {
  const rows = randomRows(53);
  const { x, y } = await rows.read(0, 53);
  await using file = await temporaryFile("rows.safetensors");
  await writeSafetensors(file.path, { y: { shape: [53, 1], data: y }, x: { shape: [53, 2], data: x } });
  using source = await SafetensorsRows.open(file.path, "x", "y");
  const weights = (source: RowSource) => trainedBits(device, { source, windowRows: 20, optimizer: "momentum" });
  assertEquals(await weights(source), await weights(rows));
});

/** Inputs of a row of which 349 make a piece that is read at a time. */
const WIDE = 3_000;
const PIECE = 349;

gpuTest("windows larger than a piece are read piece by piece", async (device) => {
  const count = 1_000;
  const x = Float32Array.from({ length: count * WIDE }, (_, i) => i % WIDE === 0 ? i / WIDE : 0);
  const rows = new ArrayRows(x, new Float32Array(count), WIDE);
  const asked: number[] = [];
  const source = through(rows, (start, count) => (asked.push(start), rows.read(start, count)));
  using setup = oneWeight(device, { source, batchSize: 100, windowRows: 800, shuffle: false });
  assertEquals(await rowsSeen(setup), Array.from({ length: count }, (_, i) => i));
  assertEquals(asked, [0, PIECE, 2 * PIECE, 800]);
});

gpuTest("a window that nobody waits for any more is not read to its end", async (device) => {
  const rows = new ArrayRows(new Float32Array(6 * PIECE * WIDE), new Float32Array(6 * PIECE), WIDE);
  let reads = 0;
  const source = through(rows, async (start, count) => {
    reads++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return await rows.read(start, count);
  });
  using setup = oneWeight(device, { source, windowRows: 3 * PIECE, batchSize: PIECE });
  const between = () => {
    throw new Error("enough");
  };
  await assertRejects(() => Array.fromAsync(setup.trainer.epochs(1, { between })), Error, "enough");
  assertEquals(reads, 3 + 1);
});

gpuTest("the next window is read while steps run on this one, and none twice", async (device) => {
  const rows = randomRows(40);
  const log: string[] = [];
  const source = through(rows, (start, count) => (log.push(`read ${start}`), rows.read(start, count)));
  using setup = setUp(device, { source, windowRows: 20, shuffle: false });
  await Array.fromAsync(setup.trainer.epochs(1, { between: (step) => log.push(`step ${step + 1}`) && 1 }));
  const steps = [1, 2, 3, 4, 5, 6, 7, 8].map((step) => `step ${step}`);
  assertEquals(log.splice(0), ["read 0", "read 20", ...steps]);
  // Across epochs too, but not beyond the last.
  const evaluate = () => Promise.resolve(void log.push("evaluate"));
  await Array.fromAsync(setup.trainer.epochs(2, { evaluate }));
  assertEquals(log.splice(0), ["read 0", "read 20", "read 0", "evaluate", "read 20", "evaluate"]);
  // A window of all rows is read once for all epochs.
  using one = setUp(device, { source, windowRows: 40 });
  for (const epochs of [3, 2]) await Array.fromAsync(one.trainer.epochs(epochs));
  assertEquals(log, ["read 0"]);
});

gpuTest("a loss that is not finite is told by its step, in any window", async (device) => {
  const x = Float32Array.from({ length: 40 }, (_, i) => i === 27 ? NaN : 1);
  const source = new ArrayRows(x, new Float32Array(40), 1);
  for (const [windowRows, seed] of [[8, 5], [8, 6], [40, 6]]) {
    using setup = oneWeight(device, { source, windowRows, batchSize: 1, seed, learningRate: 0.001 });
    const plan = new EpochPlan({ rows: 40, windowRows, batchSize: 1, seed, shuffle: true });
    const visit = [...plan.visits(0, 1)].find(({ start, rows }) => start <= 27 && 27 < start + rows)!;
    const step = visit.firstStep + plan.order(visit).indexOf(27 - visit.start) + 1;
    const text = `The loss is NaN at step ${step}: try a smaller learning rate, or scale the data`;
    const error = await assertRejects(() => Array.fromAsync(setup.trainer.epochs(1)), NotFiniteError, text);
    assertEquals(error.step, step);
  }
});

gpuTest("a fault of the source comes out of epochs(), and the next call continues", async (device) => {
  const rows = randomRows(23);
  let healthy = 0;
  const source = through(rows, (start, count) => {
    if (healthy-- > 0) return rows.read(start, count);
    return Promise.reject(new Error("the disk is gone"));
  });
  for (const reads of [0, 1, 2, 4]) {
    using setup = setUp(device, { source });
    const { buffers } = device.stats;
    let told = 0;
    healthy = reads;
    const run = async () => {
      for await (const { epoch } of setup.trainer.epochs(3)) assertEquals(epoch, ++told);
    };
    await assertRejects(run, Error, "the disk is gone");
    assertEquals(told, Math.floor(reads / 3), `${reads} reads`);
    assertEquals(device.stats.buffers, buffers);
    await assertRejects(() => watchEpoch(setup.trainer, () => {}), Error, "the disk is gone");
    healthy = Infinity;
    const [{ epoch }] = await Array.fromAsync(setup.trainer.epochs(1));
    assertEquals(epoch, setup.trainer.epoch);
  }
});

gpuTest("rows that a source gives too few of are refused", async (device) => {
  const rows = randomRows(23);
  const source = through(rows, (start, count) => rows.read(start, start === 10 ? count - 1 : count));
  using setup = setUp(device, { source, shuffle: false });
  const text = "Cannot use rows 10 to 19: need 20 inputs and 10 targets, their source gave 18 and 9";
  await assertRejects(() => Array.fromAsync(setup.trainer.epochs(1)), TypeError, text);
});

gpuTest("epochs() that are left early leave no read under way, and continue behind it", async (device) => {
  const rows = randomRows(2_000);
  let underWay = 0;
  const source = through(rows, async (start, count) => {
    underWay++;
    await new Promise((resolve) => setTimeout(resolve, 60)); // far longer than the steps that are under way
    underWay--;
    return await rows.read(start, count);
  });
  using setup = setUp(device, { source, windowRows: 1_000 });
  const { buffers } = device.stats;
  for await (const { epoch } of setup.trainer.epochs(100)) if (epoch === 2) break;
  assertEquals([underWay, device.stats.buffers, setup.trainer.epoch], [0, buffers, 2]);
  const onProgress = () => {
    throw new Error("left within an epoch");
  };
  await assertRejects(() => setup.trainer.epochs(1, { onProgress }).next(), Error, "left within an epoch");
  assertEquals([underWay, device.stats.buffers, setup.trainer.epoch], [0, buffers, 2]);
  assert(setup.trainer.step > 2 * setup.trainer.stepsPerEpoch, "it has begun the third");
  const [{ epoch }] = await Array.fromAsync(setup.trainer.epochs(1));
  assertEquals(epoch, 3);
});

gpuTest("windows cost no buffer, no bind group and no wait more than their steps do", async (device) => {
  const spent = async (windowRows: number) => {
    using setup = setUp(device, { source: randomRows(2_000), windowRows, batchSize: 5 });
    const { allocations, bindGroups, waits } = device.stats;
    await Array.fromAsync(setup.trainer.epochs(2));
    const { stats } = device;
    return [stats.allocations - allocations - (stats.waits - waits), stats.bindGroups - bindGroups];
  };
  assertEquals(await spent(100), [0, 0], "each wait reads one buffer back");
  assertEquals(await spent(2_000), [0, 0]);
});

gpuTest("two windows lie on the GPU at most, as many rows as a binding holds", (device) => {
  const make = (inputs: number, rows: number, batchSize: number) => {
    const before = device.stats.bytes;
    const source = { rows, inputs, targets: 1, read: () => Promise.reject() };
    using setup = smallTraining(device, { source, layers: [new Linear(inputs, 1)], batchSize });
    const { windows, windowRows } = setup.trainer;
    return { windows, rows: windowRows, bytes: device.stats.bytes - before };
  };
  const MIB = 2 ** 20;
  const many = make(1, 100_000_000, 1_000);
  assertEquals(many.rows, Math.floor(64 * MIB / 12 / 1_000) * 1_000);
  assertEquals(many.windows, Math.ceil(100_000_000 / many.rows));
  assert(many.bytes < 130 * MIB, `${many.bytes} bytes`);
  // A batch that takes more than a window would: the window is that batch.
  assertEquals(make(2, 10_000_000, 8_000_000).rows, 8_000_000);
  assertEquals(make(7, 500, 20), { ...make(7, 500, 20), windows: 1, rows: 500 });
});

gpuTest("a Trainer refuses windows that do not fit, and leaves nothing behind", (device) => {
  const { buffers } = device.stats;
  const huge = { rows: 2 ** 30, inputs: 2, targets: 1, read: () => Promise.reject() };
  const cases: [SmallTrainingOptions, text: string][] = [
    [{ batchSize: 24 }, "Cannot train with batches of 24: allowed is 1 to the 23 rows there are"],
    [{ windowRows: 12 }, "Cannot train on windows of 12 rows: allowed is a multiple of the batch size 5"],
    [{ source: huge, batchSize: 2 ** 30 }, "Cannot allocate a tensor [1073741824, 2]"],
    [{ source: huge, batchSize: 2 ** 29 }, "Cannot allocate a tensor [536870912, 2]"],
  ];
  for (const [options, text] of cases) {
    assertThrows(() => smallTraining(device, { source: randomRows(23), ...options }), RangeError, text);
    assertEquals(device.stats.buffers, buffers);
  }
});
