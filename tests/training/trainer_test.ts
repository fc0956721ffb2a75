import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { Linear, ReLU } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { createOptimizer, type OptimizerName, Sgd } from "../../lib/core/optimizers.ts";
import { Random } from "../../lib/base/random.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import type { EpochResult } from "../../lib/training/trainer_options.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";
import { watchEpoch } from "../support/watch_epoch.ts";
import { smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";

async function finalWeights(device: Device, options: SmallTrainingOptions, epochs = 3): Promise<Uint32Array> {
  using setup = smallTraining(device, options);
  await Array.fromAsync(setup.trainer.epochs(epochs));
  return bits(await setup.model.values.read());
}

gpuTest("the same seed gives the same weights bit for bit, another seed others", async (device) => {
  for (const optimizer of ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"] as const) {
    const first = await finalWeights(device, { seed: 7, optimizer });
    assertEquals(await finalWeights(device, { seed: 7, optimizer }), first);
    assertNotEquals(await finalWeights(device, { seed: 8, optimizer }), first);
  }
});

gpuTest("epochs() takes the rows as they are given without shuffle", async (device) => {
  using setup = smallTraining(device, { shuffle: false, learningRate: 0.1 });
  const twin = await setup.model.reference(mse.reference);
  const x = randomMatrix(23, 2, 1);
  const y = randomMatrix(23, 1, 2);
  const [{ losses }] = await Array.fromAsync(setup.trainer.epochs(1));
  const firstRows = (m: typeof x) => new Matrix(5, m.columns, m.data.slice(0, 5 * m.columns));
  assertClose([losses[0]], [twin.backward(firstRows(x), firstRows(y)).loss], { rtol: 1e-5, atol: 0 });
});

gpuTest("epochs() does what the float64 model does, short last batch and shuffle included", async (device) => {
  using setup = smallTraining(device, { rows: 23, batchSize: 5, seed: 3, learningRate: 0.1 });
  const twin = await setup.model.reference(mse.reference);
  const x = randomMatrix(23, 2, 1);
  const y = randomMatrix(23, 1, 2);
  const results = await Array.fromAsync(setup.trainer.epochs(2));
  for (const { epoch, losses, loss } of results) {
    const order = [...new Random(3, `shuffle ${epoch - 1}`).permutation(23)];
    const expected: number[] = [];
    let total = 0;
    for (let start = 0; start < 23; start += 5) {
      const rows = order.slice(start, start + 5);
      const pick = (from: typeof x) =>
        randomMatrix(rows.length, from.columns).map((_, i) =>
          from.data[rows[Math.floor(i / from.columns)] * from.columns + i % from.columns]
        );
      expected.push(twin.backward(pick(x), pick(y)).loss);
      total += expected.at(-1)! * rows.length;
      twin.parameters.forEach(({ data }, i) => data.forEach((_, j) => data[j] -= 0.1 * twin.gradients[i].data[j]));
    }
    assertClose(losses, expected, { rtol: 1e-4 });
    assertClose([loss], [total / 23], { rtol: 1e-4 });
  }
  Object.values(await setup.model.read()).forEach((values, i) =>
    assertClose(values, twin.parameters[i].data, { rtol: 1e-4, atol: 1e-5 })
  );
});

gpuTest("plain epochs() do what readAhead() saw, bit for bit, and as if nobody had looked", async (device) => {
  using recorded = smallTraining(device, { plain: true });
  using observed = smallTraining(device, { plain: true });
  const results = await Array.fromAsync(recorded.trainer.epochs(2));
  for (const expected of results) {
    const names: string[] = [];
    const steps: number[] = [];
    const last: Record<string, Float32Array> = {};
    const actual = await watchEpoch(observed.trainer, (tensors, step, read) => {
      if (step === 1) names.push(...Object.keys(tensors));
      steps.push(step);
      Object.assign(last, tensors);
      assertEquals([...tensors.loss], [expected.losses[(step - 1) % 5]]);
      assertEquals(read.find(({ name }) => name === "z1")!.shape, [step % 5 === 0 ? 3 : 5, 6]);
    });
    const { grad_weight_1: first, grad_bias_2: second } = last;
    const { "0.weight": firstLeft, "2.bias": secondLeft } = await observed.model.readGradients();
    assertEquals([firstLeft, secondLeft], [first, second], "the gradients of the last step");
    assertEquals(actual, expected);
    assertEquals(steps, [1, 2, 3, 4, 5].map((i) => i + 5 * (expected.epoch - 1)));
    if (expected.epoch === 1) {
      assertEquals(names, [
        "x",
        "y",
        "z1",
        "a1",
        "z2",
        "loss",
        "grad_logits",
        "grad_weight_2",
        "grad_bias_2",
        "grad_weight_1",
        "grad_bias_1",
      ]);
    }
  }
  assertEquals(bits(await observed.model.values.read()), bits(await recorded.model.values.read()));
});

gpuTest("every row appears exactly once an epoch, in an order of its own", async (device) => {
  // With a weight of 1, a bias of 0 and hardly any learning, z1 is the row's own number.
  const rows = 17;
  const stack = new DisposableStack();
  const numbers = Float32Array.from({ length: rows }, (_, i) => i);
  const x = stack.use(Tensor.from(device, numbers, [rows, 1]));
  const y = stack.use(Tensor.zeros(device, [rows, 1]));
  const model = stack.use(new Model(device, [new Linear(1, 1)]));
  model.load({ "0.weight": [1], "0.bias": [0] });
  const optimizer = stack.use(new Sgd(model, 1e-12));
  for (const batchSize of [3, 5, 17]) {
    using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize, seed: 2 });
    const orders: number[][] = [];
    for (let epoch = 0; epoch < 3; epoch++) {
      const seen: number[] = [];
      await watchEpoch(trainer, ({ z1 }) => void seen.push(...z1.map(Math.round)));
      assertEquals(seen.toSorted((a, b) => a - b), [...numbers]);
      orders.push(seen);
    }
    assertNotEquals(orders[0], orders[1]);
    assertNotEquals(orders[1], orders[2]);
  }
  stack.dispose();
});

gpuTest("epochs() yields in order, and evaluate sees the weights of each epoch's end", async (device) => {
  using whole = smallTraining(device);
  using stepwise = smallTraining(device);
  const evaluate = () => whole.model.values.read();
  const results: EpochResult<Awaited<ReturnType<typeof evaluate>>>[] = await Array.fromAsync(
    whole.trainer.epochs(4, { evaluate }),
  );
  assertEquals(results.map(({ epoch, step }) => [epoch, step]), [[1, 5], [2, 10], [3, 15], [4, 20]]);
  for (const { evaluation, loss } of results) {
    const { value } = await stepwise.trainer.epochs(1).next();
    assertEquals(value!.loss, loss);
    // Leaving the loop after an epoch, and coming back for the next, goes on where it stopped.
    assertEquals(bits(evaluation), bits(await stepwise.model.values.read()));
  }
  assertEquals([whole.trainer.step, whole.trainer.epoch, whole.trainer.stepsPerEpoch], [20, 4, 5]);
});

gpuTest("an epoch of 1,000 steps allocates and binds no more than one of 100", async (device) => {
  const spent = async (rows: number) => {
    using setup = smallTraining(device, { rows, batchSize: 1 });
    const { allocations, bindGroups, dispatches } = device.stats;
    await Array.fromAsync(setup.trainer.epochs(1));
    return {
      ...device.stats,
      allocations: device.stats.allocations - allocations,
      perStep: setup.trainer.dispatchesPerStep,
      bindGroups: device.stats.bindGroups - bindGroups,
      dispatches: device.stats.dispatches - dispatches,
    };
  };
  const short = await spent(100);
  const long = await spent(1_000);
  // A look at gradients and weights comes with a read of the losses, at most.
  const looks = [short.dispatches - 100 * short.perStep, long.dispatches - 1_000 * long.perStep].map((more) =>
    more / 2
  );
  assert(looks.every((count) => count >= 1 && count <= 32), `${looks} looks`);
  assertEquals([short.bindGroups, long.bindGroups], [0, 0]);
  // What is read back takes a buffer a read, and the number of reads grows as the logarithm of the steps at most.
  assert(long.allocations <= short.allocations + 12, `${long.allocations} against ${short.allocations} allocations`);
});

/** The kernels that reach the GPU while something runs, by name. */
async function kernelsOf(body: () => Promise<unknown>): Promise<string[]> {
  const names: string[] = [];
  const { prototype } = GPUComputePassEncoder;
  const { setPipeline } = prototype;
  prototype.setPipeline = function (pipeline) {
    names.push(pipeline.label);
    setPipeline.call(this, pipeline);
  };
  try {
    await body();
  } finally {
    prototype.setPipeline = setPipeline;
  }
  return names.filter((name) => name !== "notFinite");
}

/** Each operation of the step of a network with one ReLU layer, under mse. */
const PLAIN_STEP = ("gatherRows gatherRows matmul addBias relu matmul addBias squaredError sum squaredErrorBackward " +
  "matmul sum matmul reluBackward matmul sum").split(" ");

for (const products of ["blocks", "tiles"] as const) {
  Deno.test(`a plain step is the operations of core, one dispatch each, where others run in ${products}`, async () => {
    using device = await Device.request({ products });
    const updates = { sgd: ["sgd"], momentum: ["momentum"], adam: ["adamPowers", "adam"] };
    // 8 rows of 40 columns, and widths of 44: products large enough for blocks, for packing and for tiles.
    const x = randomMatrix(8, 40, 1);
    const y = randomMatrix(8, 4, 2);
    for (const [name, update] of Object.entries(updates)) {
      using model = new Model(device, [new Linear(40, 44), new ReLU(), new Linear(44, 4)]);
      using optimizer = createOptimizer(name as OptimizerName, model, 0.01);
      using xs = upload(device, x);
      using ys = upload(device, y);
      const data = { model, loss: mse, optimizer, x: xs, y: ys, batchSize: 8, seed: 1, shuffle: false };
      using trainer = new Trainer({ ...data, plain: true });
      const twin = await model.reference(mse.reference);
      const { loss } = twin.backward(x, y);
      const kernels = await kernelsOf(async () => {
        const [{ losses }] = await Array.fromAsync(trainer.epochs(1));
        assertClose(losses, [loss], { rtol: 1e-5 });
      });
      assertEquals(kernels, [...PLAIN_STEP, ...update, "append"]);
      assertEquals(trainer.dispatchesPerStep, kernels.length);
      using fused = new Trainer(data);
      const fewer = await kernelsOf(() => Array.fromAsync(fused.epochs(1)));
      assert(fewer.length < kernels.length && !fewer.includes("addBias"), fewer.join());
    }
  });
}

gpuTest("a small network's step is one kernel and the update, unless it is plain", async (device) => {
  using small = smallTraining(device, { rows: 5 });
  assertEquals(await kernelsOf(() => Array.fromAsync(small.trainer.epochs(1))), ["wholeStep", "sgd"]);
  using plain = smallTraining(device, { rows: 5, plain: true });
  const kernels = await kernelsOf(() => Array.fromAsync(plain.trainer.epochs(1)));
  assertEquals(kernels, [...PLAIN_STEP, "sgd", "append"]);
});

gpuTest("a loss that is not finite stops the run, at the step where it came up", async (device) => {
  for (const batchSize of [1, 4]) {
    const options = { rows: 30, batchSize, learningRate: 20 };
    using setup = smallTraining(device, options);
    const error = await assertRejects(() => Array.fromAsync(setup.trainer.epochs(50)), NotFiniteError);
    using stepwise = smallTraining(device, options);
    let failed = 0;
    while (failed === 0) {
      await watchEpoch(stepwise.trainer, ({ loss }, step) => {
        if (!Number.isFinite(loss[0])) failed = step;
      }).catch((error) => assertEquals([error.constructor, error.step], [NotFiniteError, failed]));
    }
    assertEquals(error.step, failed);
    assert(failed > 3, "some steps went well before");
    assert(error.message.includes(`at step ${failed}: try a smaller learning rate`), error.message);
  }
});

gpuTest("a row that is not finite is told by its step", async (device) => {
  const stack = new DisposableStack();
  const rows = 40;
  const x = stack.use(Tensor.from(device, Float32Array.from({ length: rows }, (_, i) => i === 7 ? NaN : 1), [rows, 1]));
  const y = stack.use(Tensor.zeros(device, [rows, 1]));
  const model = stack.use(new Model(device, [new Linear(1, 1)]));
  const optimizer = stack.use(new Sgd(model, 0.01));
  const trainer = stack.use(new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 1, seed: 6 }));
  const step = new Random(6, "shuffle 0").permutation(rows).indexOf(7) + 1;
  await assertRejects(
    () => Array.fromAsync(trainer.epochs(1)),
    NotFiniteError,
    `The loss is NaN at step ${step}: try a smaller learning rate, or scale the data`,
  );
  stack.dispose();
});

gpuTest("onProgress tells the mean loss of the steps since the last time", async (device) => {
  using setup = smallTraining(device, { rows: 100, batchSize: 1 });
  const told: [number, number][] = [];
  const results = await Array.fromAsync(setup.trainer.epochs(3, { onProgress: (...what) => told.push(what) }));
  const losses = results.flatMap(({ losses }) => [...losses]);
  let before = 0;
  for (const [steps, loss] of told) {
    const part = losses.slice(before, steps);
    assertClose([loss], [part.reduce((sum, one) => sum + one, 0) / part.length], { rtol: 1e-5 });
    before = steps;
  }
  assertEquals(before, 300);
});

gpuTest("onProgress counts up to all steps of the call", async (device) => {
  using setup = smallTraining(device, { rows: 100, batchSize: 1 });
  for (let call = 0; call < 2; call++) {
    const told: number[] = [];
    await Array.fromAsync(setup.trainer.epochs(3, { onProgress: (steps) => told.push(steps) }));
    assertEquals(told.at(-1), 300);
    assertEquals(told, told.toSorted((a, b) => a - b));
  }
  assertEquals(setup.trainer.step, 600);
  assertEquals(await Array.fromAsync(setup.trainer.epochs(0)), []);
});

gpuTest("epochs() lets no more steps run at once for having run few quickly", async (device) => {
  using setup = smallTraining(device, { rows: 1_000, batchSize: 1 });
  const told: number[] = [];
  const between = (step: number) => step < 30 ? 1 : Infinity;
  await Array.fromAsync(setup.trainer.epochs(1, { between, onProgress: (steps) => told.push(steps) }));
  assertEquals(told.slice(0, 32), [...Array.from({ length: 30 }, (_, i) => i + 1), 32, 36]);
});

gpuTest("a fault in evaluate comes out of epochs()", async (device) => {
  using setup = smallTraining(device);
  const evaluate = () => Promise.reject(new Error("no evaluation"));
  await assertRejects(() => Array.fromAsync(setup.trainer.epochs(2, { evaluate })), Error, "no evaluation");
  using diverging = smallTraining(device, { learningRate: 1e9 });
  // The loss comes first: an evaluation of such weights may well fail.
  await assertRejects(() => Array.fromAsync(diverging.trainer.epochs(9, { evaluate })), NotFiniteError);
});

gpuTest("epochs() that are left early leave nothing under way, and go on behind it", async (device) => {
  using setup = smallTraining(device, { rows: 10, batchSize: 5 });
  const { buffers } = device.stats;
  for await (const { epoch } of setup.trainer.epochs(100)) if (epoch === 2) break;
  assertEquals(device.stats.buffers, buffers);
  const [{ epoch, step }] = await Array.fromAsync(setup.trainer.epochs(1));
  assertEquals([epoch, step], [3, 6]);
});

gpuTest("epochs() that are left within an epoch go on behind the steps they did, bit for bit", async (device) => {
  const options = { rows: 20_000, batchSize: 1 };
  using setup = smallTraining(device, options);
  await Array.fromAsync(setup.trainer.epochs(3, { between: (step) => 27_000 - step }));
  const { step, epoch } = setup.trainer;
  assertEquals([step, epoch], [27_000, 1]);
  const rest = await Array.fromAsync(setup.trainer.epochs(3 - epoch));
  using whole = smallTraining(device, options);
  assertEquals(rest, (await Array.fromAsync(whole.trainer.epochs(3))).slice(epoch));
  assertEquals(bits(await setup.model.values.read()), bits(await whole.model.values.read()));
});

gpuTest(
  "a learning rate set in evaluate, or where an epoch is yielded, holds from the next epoch on, exactly",
  async (device) => {
    const rates = [0.05, 0.02, 0.01, 0.005];
    using ahead = smallTraining(device, { learningRate: rates[0] });
    const evaluate = () => {
      ahead.optimizer.learningRate = rates[ahead.trainer.epoch] ?? rates[0];
      return Promise.resolve();
    };
    await Array.fromAsync(ahead.trainer.epochs(rates.length, { evaluate }));
    using one = smallTraining(device, { learningRate: rates[0] });
    for (const rate of rates) {
      one.optimizer.learningRate = rate;
      await Array.fromAsync(one.trainer.epochs(1));
    }
    assertEquals(await ahead.model.read(), await one.model.read());
    using between = smallTraining(device, { learningRate: rates[0] });
    for await (const { epoch, step } of between.trainer.epochs(rates.length)) {
      assertEquals([between.trainer.step, between.trainer.epoch], [step, epoch], "the next epoch has not begun");
      between.optimizer.learningRate = rates[epoch] ?? rates[0];
    }
    assertEquals(await between.model.read(), await one.model.read());
  },
);

gpuTest("an evaluate that throws at once comes out of epochs(), and leaves no buffer", async (device) => {
  using setup = smallTraining(device);
  const evaluate = (): Promise<void> => {
    throw new Error("at once");
  };
  await assertRejects(() => Array.fromAsync(setup.trainer.epochs(2, { evaluate })), Error, "at once");
});

gpuTest("a Trainer refuses rows and batches that do not fit, and leaves nothing behind", (device) => {
  const stack = new DisposableStack();
  const model = stack.use(new Model(device, [new Linear(2, 1)]));
  const optimizer = stack.use(new Sgd(model, 0.1));
  const zeros = (...shape: number[]) => stack.use(Tensor.zeros(device, shape));
  const x = zeros(10, 2);
  const y = zeros(10, 1);
  const short = zeros(9, 1);
  const flat = zeros(10);
  const wide = zeros(10, 3);
  const { buffers } = device.stats;
  const refuse = (x: Tensor, y: Tensor, batchSize: number, kind: ErrorConstructor, text: string) => {
    const make = () => new Trainer({ model, loss: mse, optimizer, x, y, batchSize, seed: 1 });
    assertThrows(make, kind, text);
    assertEquals(device.stats.buffers, buffers);
  };
  const Range = RangeError as ErrorConstructor;
  const Type = TypeError as ErrorConstructor;
  for (const size of [0, -1, 11, 2.5, NaN]) {
    refuse(x, y, size, Range, `Cannot train with batches of ${size}: allowed is 1 to the 10 rows there are`);
  }
  const need = "need [rows, in] and [rows, out]";
  refuse(x, short, 5, Type, `Cannot train on x [10, 2] and y [9, 1]: ${need}`);
  refuse(flat, y, 5, Type, `Cannot train on x [10] and y [10, 1]: ${need}`);
  refuse(wide, y, 5, Type, "Cannot feed 3 values a row to Linear [2, 1]: it takes 2");
  refuse(x, wide, 4, Type, "Cannot compare prediction [4, 1] with target [4, 3]: the shapes differ");
  stack.dispose();
});
