import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { Device } from "../../lib/gpu/device.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { Linear, ReLU } from "../../lib/core/layers.ts";
import { mse } from "../../lib/core/losses.ts";
import type { OptimizerName } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { assertClose } from "../support/assert_close.ts";
import { bits, gpuTest, randomMatrix } from "../support/gpu_test_case.ts";
import { type StepTensors, watchEpoch } from "../support/watch_epoch.ts";
import { smallTraining, type SmallTrainingOptions, trainedBits } from "../support/small_training.ts";

/** What the step of a network with one ReLU layer makes, in order. */
const STEP_TENSORS = ("x y z1 a1 z2 loss grad_logits grad_weight_2 grad_bias_2 grad_weight_1 grad_bias_1").split(" ");

gpuTest("the same seed gives the same weights bit for bit, another seed others", async (device) => {
  for (const optimizer of ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"] as const) {
    const first = await trainedBits(device, { seed: 7, optimizer });
    assertEquals(await trainedBits(device, { seed: 7, optimizer }), first);
    assertNotEquals(await trainedBits(device, { seed: 8, optimizer }), first);
  }
});

gpuTest("plain epochs() do what readAhead() saw, bit for bit, and as if nobody had looked", async (device) => {
  for (const windowRows of [undefined, 10]) {
    using recorded = smallTraining(device, { plain: true, windowRows });
    using observed = smallTraining(device, { plain: true, windowRows });
    const { trainer } = observed;
    for (const expected of await Array.fromAsync(recorded.trainer.epochs(3))) {
      const names: string[][] = [];
      const losses: number[] = [];
      const steps: number[] = [];
      let last: StepTensors = {};
      const actual = await watchEpoch(trainer, (tensors, step, read) => {
        names.push(Object.keys(tensors));
        losses.push(...tensors.loss);
        steps.push(step);
        last = tensors;
        assertEquals(read.find(({ name }) => name === "z1")!.shape, [trainer.rowsOf(step).length, 6]);
      });
      const { "0.weight": first, "2.bias": second } = await observed.model.readGradients();
      assertEquals([first, second], [last.grad_weight_1, last.grad_bias_2], "the gradients of the last step");
      assertEquals(actual, expected);
      assertEquals([losses, steps], [[...expected.losses], [1, 2, 3, 4, 5].map((i) => i + 5 * (expected.epoch - 1))]);
      for (const made of names) assertEquals(made, STEP_TENSORS);
    }
    assertEquals(bits(await observed.model.values.read()), bits(await recorded.model.values.read()));
  }
});

gpuTest("epochs() yields in order, and evaluate sees the weights of its epoch's end, however late", async (device) => {
  for (const windowRows of [undefined, 10]) {
    using whole = smallTraining(device, { windowRows });
    using stepwise = smallTraining(device, { windowRows });
    const evaluate = async () => {
      if (windowRows) await new Promise((resolve) => setTimeout(resolve, 15));
      return await whole.model.values.read();
    };
    const results = await Array.fromAsync(whole.trainer.epochs(4, { evaluate }));
    assertEquals(results.map(({ epoch, step }) => [epoch, step]), [[1, 5], [2, 10], [3, 15], [4, 20]]);
    for (const { evaluation, ...result } of results) {
      // Leaving the loop after an epoch, and coming back for the next, continues where it stopped.
      const { value } = await stepwise.trainer.epochs(1).next();
      assertEquals(value, { ...result, evaluation: undefined });
      assertEquals(bits(evaluation), bits(await stepwise.model.values.read()));
    }
    assertEquals([whole.trainer.step, whole.trainer.epoch, whole.trainer.stepsPerEpoch], [20, 4, 5]);
  }
});

gpuTest("an epoch of 1,000 steps allocates and binds no more than one of 100", async (device) => {
  const spent = async (rows: number) => {
    using setup = smallTraining(device, { rows, batchSize: 1 });
    const before = { ...device.stats };
    await Array.fromAsync(setup.trainer.epochs(1));
    const of = (key: keyof typeof before) => device.stats[key] - before[key];
    // A look at gradients and weights comes with a read of the losses, at most.
    const looks = (of("dispatches") - rows * setup.trainer.dispatchesPerStep) / 2;
    assert(looks >= 1 && looks <= 32, `${looks} looks`);
    return { allocations: of("allocations"), bindGroups: of("bindGroups") };
  };
  const short = await spent(100);
  const long = await spent(1_000);
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
    const rows = { rows: 8, inputs: 40, targets: 4, batchSize: 8, shuffle: false };
    for (const [name, update] of Object.entries(updates)) {
      const make = (plain: boolean) => {
        const layers = [new Linear(40, 44), new ReLU(), new Linear(44, 4)];
        return smallTraining(device, { ...rows, layers, optimizer: name as OptimizerName, learningRate: 0.01, plain });
      };
      using plain = make(true);
      const { model, trainer } = plain;
      const twin = await model.reference(mse.reference);
      const { loss } = twin.backward(randomMatrix(8, 40, 1), randomMatrix(8, 4, 2));
      const kernels = await kernelsOf(async () => {
        const [{ losses }] = await Array.fromAsync(trainer.epochs(1));
        assertClose(losses, [loss], { rtol: 1e-5 });
      });
      assertEquals(kernels, [...PLAIN_STEP, ...update, "append"]);
      assertEquals(trainer.dispatchesPerStep, kernels.length);
      using fused = make(false);
      const fewer = await kernelsOf(() => Array.fromAsync(fused.trainer.epochs(1)));
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

gpuTest("onProgress counts up to all steps of the call, and tells the mean loss since the last", async (device) => {
  using setup = smallTraining(device, { rows: 100, batchSize: 1 });
  for (let call = 0; call < 2; call++) {
    const told: [number, number][] = [];
    const results = await Array.fromAsync(setup.trainer.epochs(3, { onProgress: (...what) => told.push(what) }));
    const losses = results.flatMap(({ losses }) => [...losses]);
    let before = 0;
    for (const [steps, loss] of told) {
      assert(steps > before);
      const part = losses.slice(before, steps);
      assertClose([loss], [part.reduce((sum, one) => sum + one, 0) / part.length], { rtol: 1e-5 });
      before = steps;
    }
    assertEquals(before, 300);
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

gpuTest("a fault in evaluate comes out of epochs(), late or at once, and leaves no buffer", async (device) => {
  const late = () => Promise.reject(new Error("no evaluation"));
  const atOnce = (): Promise<void> => {
    throw new Error("no evaluation");
  };
  for (const evaluate of [late, atOnce]) {
    using setup = smallTraining(device);
    await assertRejects(() => Array.fromAsync(setup.trainer.epochs(2, { evaluate })), Error, "no evaluation");
  }
  using diverging = smallTraining(device, { learningRate: 1e9 });
  // The loss comes first: an evaluation of such weights may well fail.
  await assertRejects(() => Array.fromAsync(diverging.trainer.epochs(9, { evaluate: late })), NotFiniteError);
});

gpuTest("epochs() left behind an epoch or within one continue bit for bit, with nothing under way", async (device) => {
  for (const learningRates of [undefined, (step: number) => 0.1 / (1 + step)]) {
    const options = { rows: 2_000, batchSize: 1, learningRates };
    using setup = smallTraining(device, options);
    const { trainer, model } = setup;
    const { buffers } = device.stats;
    for await (const { epoch } of trainer.epochs(100)) if (epoch === 1) break;
    assertEquals([device.stats.buffers, trainer.step, trainer.epoch], [buffers, 2_000, 1]);
    await Array.fromAsync(trainer.epochs(2, { between: (step) => 2_700 - step }));
    assertEquals([trainer.step, trainer.epoch], [2_700, 1]);
    const rest = await Array.fromAsync(trainer.epochs(2));
    using whole = smallTraining(device, options);
    assertEquals(rest, (await Array.fromAsync(whole.trainer.epochs(3))).slice(1));
    assertEquals(bits(await model.values.read()), bits(await whole.model.values.read()));
  }
});

gpuTest("a learning rate set in evaluate, or between epochs, holds from the next epoch on", async (device) => {
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
});

gpuTest("a Trainer refuses rows, batches and bounds that do not fit, and leaves nothing behind", (device) => {
  using stack = new DisposableStack();
  const zeros = (...shape: number[]) => stack.use(Tensor.zeros(device, shape));
  const x = zeros(10, 2);
  const y = zeros(10, 1);
  const wide = zeros(10, 3);
  const need = "need [rows, in] and [rows, out]";
  const ofSizes = [0, -1, 11, 2.5, NaN].map((batchSize): [SmallTrainingOptions, new () => Error, string] => {
    const text = `Cannot train with batches of ${batchSize}: allowed is 1 to the 10 rows there are`;
    return [{ batchSize }, RangeError, text];
  });
  const cases: typeof ofSizes = [
    ...ofSizes,
    [{ y: zeros(9, 1) }, TypeError, `Cannot train on x [10, 2] and y [9, 1]: ${need}`],
    [{ x: zeros(10) }, TypeError, `Cannot train on x [10] and y [10, 1]: ${need}`],
    [{ clipNorm: 0 }, RangeError, "Cannot clip gradients to a norm of 0"],
    [{ x: wide }, TypeError, "Cannot feed 3 values a row to Linear [2, 6]: it takes 2"],
    [{ y: wide }, TypeError, "Cannot compare prediction [5, 1] with target [5, 3]: the shapes differ"],
  ];
  const { buffers } = device.stats;
  for (const [options, kind, text] of cases) {
    assertThrows(() => smallTraining(device, { x, y, ...options }), kind, text);
    assertEquals(device.stats.buffers, buffers);
  }
});
