/** Training on rows that are brought to the GPU window by window. */
import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { Linear, ReLU } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { createOptimizer, Sgd } from "../../lib/core/optimizers.ts";
import { EpochPlan } from "../../lib/training/epoch_plan.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { ArrayRows, type RowBlock, type RowSource } from "../../lib/data/row_source.ts";
import { writeSafetensors } from "../../lib/safetensors/reader.ts";
import { SafetensorsRows } from "../../lib/safetensors/rows.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest, permittedGpuTest } from "../support/gpu_test_case.ts";
import { watchEpoch } from "../support/watch_epoch.ts";
import { randomRows, smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";

/** Rows of another source, each read going through a function. */
function through(rows: RowSource, read: (start: number, count: number) => Promise<RowBlock>): RowSource {
  return { rows: rows.rows, inputs: rows.inputs, targets: rows.targets, read };
}

const setUp = (device: Device, options: SmallTrainingOptions = {}) =>
  smallTraining(device, { windowRows: 10, ...options });

async function finalWeights(device: Device, options: SmallTrainingOptions, epochs = 3): Promise<Uint32Array> {
  using setup = setUp(device, options);
  await Array.fromAsync(setup.trainer.epochs(epochs));
  return bits(await setup.model.values.read());
}

gpuTest("every row appears exactly once an epoch, over windows too", async (device) => {
  // With a weight of 1, a bias of 0 and hardly any learning, z1 is the row's own number.
  const stack = new DisposableStack();
  const model = stack.use(new Model(device, [new Linear(1, 1)]));
  model.load({ "0.weight": [1], "0.bias": [0] });
  const optimizer = stack.use(new Sgd(model, 1e-12));
  for (const [rows, windowRows, batchSize] of [[23, 10, 5], [21, 10, 5], [20, 10, 10], [17, 4, 2], [9, 9, 4]]) {
    const numbers = Float32Array.from({ length: rows }, (_, i) => i);
    const source = new ArrayRows(numbers, new Float32Array(rows), 1);
    const options = { model, loss: mse, optimizer, source, windowRows, batchSize, seed: 2 };
    using trainer = new Trainer(options);
    const plan = new EpochPlan({ rows, windowRows, batchSize, seed: 2, shuffle: true });
    assertEquals([trainer.windows, trainer.stepsPerEpoch], [Math.ceil(rows / windowRows), Math.ceil(rows / batchSize)]);
    for (let epoch = 0; epoch < 3; epoch++) {
      const seen: number[] = [];
      await watchEpoch(trainer, ({ z1 }) => void seen.push(...z1.map(Math.round)));
      const planned = [...plan.visits(epoch, 1)].flatMap((visit) => [...plan.order(visit)].map((i) => visit.start + i));
      assertEquals(seen, planned);
      assertEquals(seen.toSorted((a, b) => a - b), [...numbers]);
    }
  }
  stack.dispose();
});

gpuTest(
  "epochs() does what the float64 model does over windows, uneven last one and short batch included",
  async (device) => {
    for (const [rows, windowRows] of [[23, 10], [21, 10]]) {
      const source = randomRows(rows);
      const options = { source, windowRows, batchSize: 5, seed: 3, learningRate: 0.1 };
      using setup = setUp(device, options);
      const plan = new EpochPlan({ rows, windowRows, batchSize: 5, seed: 3, shuffle: true });
      const twin = await setup.model.reference(mse.reference);
      const { x, y } = await source.read(0, rows);
      for (const { epoch, losses, loss } of await Array.fromAsync(setup.trainer.epochs(3))) {
        const expected: number[] = [];
        let total = 0;
        for (const visit of plan.visits(epoch - 1, 1)) {
          const order = [...plan.order(visit)].map((row) => visit.start + row);
          for (let start = 0; start < order.length; start += 5) {
            const batch = order.slice(start, start + 5);
            const pick = (from: Float32Array, columns: number) =>
              new Matrix(
                batch.length,
                columns,
                batch.flatMap((row) => [...from.subarray(row * columns, row * columns + columns)]),
              );
            expected.push(twin.backward(pick(x, 2), pick(y, 1)).loss);
            total += expected.at(-1)! * batch.length;
            twin.parameters.forEach(({ data }, i) =>
              data.forEach((_, j) => data[j] -= 0.1 * twin.gradients[i].data[j])
            );
          }
        }
        assertClose(losses, expected, { rtol: 1e-4 });
        assertClose([loss], [total / rows], { rtol: 1e-4 });
      }
      Object.values(await setup.model.read()).forEach((values, i) =>
        assertClose(values, twin.parameters[i].data, { rtol: 1e-4, atol: 1e-5 })
      );
    }
  },
);

gpuTest("a window of all rows gives the bits of rows that lie on the GPU", async (device) => {
  const rows = randomRows(23);
  const { x, y } = await rows.read(0, 23);
  for (const shuffle of [true, false]) {
    const stack = new DisposableStack();
    const model = stack.use(new Model(device, [new Linear(2, 6), new ReLU(), new Linear(6, 1)]));
    const optimizer = stack.use(createOptimizer("adam", model, 0.05));
    const tensors = { x: stack.use(Tensor.from(device, x, [23, 2])), y: stack.use(Tensor.from(device, y, [23, 1])) };
    const trainer = stack.use(new Trainer({ model, loss: mse, optimizer, ...tensors, batchSize: 5, seed: 1, shuffle }));
    const resident = await Array.fromAsync(trainer.epochs(3));
    for (const windowRows of [23, 25, 1000, undefined]) {
      using streamed = setUp(device, { source: rows, windowRows, optimizer: "adam", shuffle });
      assertEquals(streamed.trainer.windows, 1);
      assertEquals(await Array.fromAsync(streamed.trainer.epochs(3)), resident);
      assertEquals(bits(await streamed.model.values.read()), bits(await model.values.read()));
    }
    stack.dispose();
  }
});

gpuTest("windows that keep the order of the rows give the bits of rows that lie on the GPU", async (device) => {
  const rows = randomRows(43);
  const whole = await finalWeights(device, { source: rows, windowRows: 43, shuffle: false });
  for (const windowRows of [5, 10, 40]) {
    assertEquals(await finalWeights(device, { source: rows, windowRows, shuffle: false }), whole, `${windowRows}`);
  }
  assertNotEquals(await finalWeights(device, { source: rows, windowRows: 10 }), whole);
});

gpuTest("the same seed and windows give the same bits, however long the source takes", async (device) => {
  const rows = randomRows(203);
  const options = { source: rows, windowRows: 20, seed: 7 };
  const first = await finalWeights(device, options);
  assertEquals(await finalWeights(device, options), first);
  assertNotEquals(await finalWeights(device, { ...options, seed: 8 }), first);
  let reads = 0;
  const slow = through(rows, async (start, count) => {
    await new Promise((resolve) => setTimeout(resolve, reads++ % 3 * 4));
    return await rows.read(start, count);
  });
  assertEquals(await finalWeights(device, { ...options, source: slow }), first);
});

permittedGpuTest("rows in a file give the bits of rows in memory", async (device) => {
  const rows = randomRows(53);
  const { x, y } = await rows.read(0, 53);
  const folder = await Deno.makeTempDir({ prefix: "backhand_streamed_" });
  try {
    const path = `${folder}/rows.safetensors`;
    await writeSafetensors(path, { y: { shape: [53, 1], data: y }, x: { shape: [53, 2], data: x } });
    using source = await SafetensorsRows.open(path, "x", "y");
    const weights = (source: RowSource) => finalWeights(device, { source, windowRows: 20, optimizer: "momentum" });
    assertEquals(await weights(source), await weights(rows));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

gpuTest("windows larger than a piece are read piece by piece", async (device) => {
  // 3,000 inputs a row leave some 350 rows to a piece; their order is kept, so the first step has the first rows.
  const count = 1_000;
  const inputs = 3_000;
  const stack = new DisposableStack();
  const x = Float32Array.from({ length: count * inputs }, (_, i) => i % inputs === 0 ? Math.floor(i / inputs) : 0);
  const rows = new ArrayRows(x, new Float32Array(count), inputs);
  const asked: number[][] = [];
  const source = through(rows, (start, count) => (asked.push([start, count]), rows.read(start, count)));
  const model = stack.use(new Model(device, [new Linear(inputs, 1)]));
  const weight = new Float32Array(inputs);
  weight[0] = 1;
  model.load({ "0.weight": weight, "0.bias": [0] });
  const optimizer = stack.use(new Sgd(model, 1e-12));
  const options = { batchSize: 100, windowRows: 800, shuffle: false };
  const trainer = stack.use(new Trainer({ model, loss: mse, optimizer, source, seed: 1, ...options }));
  const seen: number[] = [];
  await watchEpoch(trainer, ({ z1 }) => void seen.push(...z1.map(Math.round)));
  assertEquals(seen, Array.from({ length: count }, (_, i) => i));
  assertEquals(asked.map(([start]) => start), [0, 349, 698, 800]);
  stack.dispose();
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
  assertEquals(log, ["read 0", "read 20", "read 0", "evaluate", "read 20", "evaluate"]);
});

gpuTest("a window of all rows is read once for all epochs", async (device) => {
  const rows = randomRows(23);
  let reads = 0;
  const source = through(rows, (start, count) => (reads++, rows.read(start, count)));
  using setup = setUp(device, { source, windowRows: 23 });
  await Array.fromAsync(setup.trainer.epochs(3));
  await Array.fromAsync(setup.trainer.epochs(2));
  assertEquals(reads, 1);
});

gpuTest("plain epochs() over windows do what readAhead() saw", async (device) => {
  using recorded = setUp(device, { plain: true });
  using observed = setUp(device, { plain: true });
  for (const expected of await Array.fromAsync(recorded.trainer.epochs(3))) {
    const losses: number[] = [];
    const steps: number[] = [];
    const actual = await watchEpoch(observed.trainer, ({ loss }, step) => {
      steps.push(step);
      losses.push(loss[0]);
    });
    assertEquals(actual, expected);
    assertEquals([losses, steps], [[...expected.losses], [1, 2, 3, 4, 5].map((i) => i + 5 * (expected.epoch - 1))]);
  }
  assertEquals(bits(await observed.model.values.read()), bits(await recorded.model.values.read()));
});

gpuTest("evaluate sees the weights of each epoch's end, waiting as long as it likes", async (device) => {
  using whole = setUp(device);
  using stepwise = setUp(device);
  const evaluate = async () => {
    for (let i = 0; i < 3; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    return await whole.model.values.read();
  };
  const results = await Array.fromAsync(whole.trainer.epochs(3, { evaluate }));
  assertEquals(results.map(({ epoch, step }) => [epoch, step]), [[1, 5], [2, 10], [3, 15]]);
  for (const { evaluation, losses } of results) {
    const { value } = await stepwise.trainer.epochs(1).next();
    assertEquals(value!.losses, losses);
    assertEquals(bits(evaluation), bits(await stepwise.model.values.read()));
  }
});

gpuTest("a loss that is not finite is told by its step, in any window", async (device) => {
  const stack = new DisposableStack();
  const rows = 40;
  const plan = { rows, windowRows: 8, batchSize: 1, shuffle: true };
  const model = stack.use(new Model(device, [new Linear(1, 1)]));
  const optimizer = stack.use(new Sgd(model, 0.001));
  for (const seed of [5, 6]) {
    const x = Float32Array.from({ length: rows }, (_, i) => i === 27 ? NaN : 1);
    const source = new ArrayRows(x, new Float32Array(rows), 1);
    model.load({ "0.weight": [1], "0.bias": [0] });
    using trainer = new Trainer({ model, loss: mse, optimizer, source, ...plan, seed });
    const drawn = new EpochPlan({ ...plan, seed });
    const visit = [...drawn.visits(0, 1)].find(({ window }) => window === 3)!;
    const step = visit.firstStep + drawn.order(visit).indexOf(27 - 24) + 1;
    const error = await assertRejects(() => Array.fromAsync(trainer.epochs(1)), NotFiniteError);
    assertEquals(error.step, step);
  }
  stack.dispose();
});

gpuTest("a fault of the source comes out of epochs(), and the next call goes on", async (device) => {
  const rows = randomRows(23);
  let healthy = 0;
  const source = through(rows, (start, count) => {
    if (healthy-- > 0) return rows.read(start, count);
    return Promise.reject(new Error("the disk is gone"));
  });
  for (const reads of [0, 1, 2, 4]) {
    using setup = setUp(device, { source });
    const { buffers } = device.stats;
    const told: number[] = [];
    healthy = reads;
    const run = async () => {
      for await (const { epoch } of setup.trainer.epochs(3)) told.push(epoch);
    };
    await assertRejects(run, Error, "the disk is gone");
    assertEquals(told, [1, 2, 3].slice(0, Math.floor(reads / 3)), `${reads} reads`);
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
  await assertRejects(
    () => Array.fromAsync(setup.trainer.epochs(1)),
    TypeError,
    "Cannot use rows 10 to 19: need 20 inputs and 10 targets, their source gave 18 and 9",
  );
});

gpuTest("epochs() that are left early leave no read under way, and go on behind it", async (device) => {
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
  await assertRejects(
    async () => {
      await setup.trainer.epochs(1, {
        onProgress: () => {
          throw new Error("left within an epoch");
        },
      }).next();
    },
    Error,
    "left within an epoch",
  );
  assertEquals([underWay, device.stats.buffers, setup.trainer.epoch], [0, buffers, 2]);
  assert(setup.trainer.step > 2 * setup.trainer.stepsPerEpoch, "it has begun the third");
  const [{ epoch }] = await Array.fromAsync(setup.trainer.epochs(1));
  assertEquals(epoch, 3);
});

gpuTest("a window that nobody waits for any more is not read to its end", async (device) => {
  // 3,000 inputs leave 349 rows to a piece: two windows of three pieces.
  const inputs = 3_000;
  const piece = 349;
  const rows = new ArrayRows(new Float32Array(6 * piece * inputs), new Float32Array(6 * piece), inputs);
  let reads = 0;
  const source = through(rows, async (start, count) => {
    reads++;
    await new Promise((resolve) => setTimeout(resolve, 20));
    return await rows.read(start, count);
  });
  using model = new Model(device, [new Linear(inputs, 1)]);
  using optimizer = new Sgd(model, 0.1);
  using trainer = new Trainer({
    model,
    loss: mse,
    optimizer,
    source,
    windowRows: 3 * piece,
    batchSize: piece,
    seed: 1,
  });
  const between = () => {
    throw new Error("enough");
  };
  await assertRejects(() => Array.fromAsync(trainer.epochs(1, { between })), Error, "enough");
  assertEquals(reads, 3 + 1);
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
  const source = (inputs: number, rows: number) =>
    through({ ...randomRows(1), rows, inputs, targets: 1 } as RowSource, () => Promise.reject());
  const make = (inputs: number, rows: number, batchSize: number) => {
    const stack = new DisposableStack();
    const before = device.stats.bytes;
    const model = stack.use(new Model(device, [new Linear(inputs, 1)]));
    const optimizer = stack.use(new Sgd(model, 0.1));
    const trainer = stack.use(
      new Trainer({ model, loss: mse, optimizer, source: source(inputs, rows), batchSize, seed: 1 }),
    );
    const made = { windows: trainer.windows, rows: trainer.windowRows, bytes: device.stats.bytes - before };
    stack.dispose();
    return made;
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
  const stack = new DisposableStack();
  const model = stack.use(new Model(device, [new Linear(2, 1)]));
  const optimizer = stack.use(new Sgd(model, 0.1));
  const { buffers } = device.stats;
  const refuse = (source: RowSource, batchSize: number, windowRows: number | undefined, text: string) => {
    const make = () => new Trainer({ model, loss: mse, optimizer, source, windowRows, batchSize, seed: 1 });
    assertThrows(make, RangeError, text);
    assertEquals(device.stats.buffers, buffers);
  };
  const rows = randomRows(23);
  refuse(rows, 24, undefined, "Cannot train with batches of 24: allowed is 1 to the 23 rows there are");
  refuse(rows, 5, 12, "Cannot train on windows of 12 rows: allowed is a multiple of the batch size 5");
  const endless = through(rows, () => Promise.reject());
  const huge = { ...endless, rows: 2 ** 30, inputs: 2 };
  refuse(huge, 2 ** 30, undefined, "Cannot allocate a tensor [1073741824, 2]");
  refuse(huge, 2 ** 29, undefined, "Cannot allocate a tensor [536870912, 2]");
  stack.dispose();
});
