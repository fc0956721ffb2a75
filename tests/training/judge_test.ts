import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { Dropout } from "../../lib/core/dropout.ts";
import { Linear, multilayerPerceptron, ReLU } from "../../lib/core/layers.ts";
import { mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { Adam, Sgd } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { ALONE } from "../../lib/ranks/communicator.ts";
import { Matrix } from "../../lib/reference/mod.ts";
import { FiniteWatch } from "../../lib/training/finite_watch.ts";
import { Judge, type JudgeOptions } from "../../lib/training/judge.ts";
import { StepBatch } from "../../lib/training/step_batch.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import type { TrainingState } from "../../lib/training/training_state.ts";
import { ValidationPass } from "../../lib/training/validation_pass.ts";
import { gpuTest, randomMatrix, upload } from "../support/gpu_test_case.ts";

gpuTest("tell() counts epochs, lowers the rate and ends, as PATIENCE and plateau say", async (device) => {
  const half = { factor: 0.5 };
  const cases: [JudgeOptions, losses: number[], rates: number[], isOver: boolean][] = [
    [{ patience: 2, plateau: half }, [3, 2, 2, 2, 2, 2, 2], [1, 1, 1, 0.5, 0.5, 0.25, 0.25], false],
    // A better loss starts the count again; it is held to the best, not to the last.
    [{ patience: 2, plateau: half }, [3, 4, 2, 5, 4, 3], [1, 1, 1, 1, 0.5, 0.5], false],
    [{ patience: 1, minDelta: 0.5, plateau: half }, [3, 2.75, 2.25, 1.75], [1, 0.5, 0.5, 0.25], false],
    [{ patience: 1, plateau: half }, [NaN, 1, NaN, Infinity], [0.5, 0.5, 0.25, 0.125], false],
    [{ patience: 1, plateau: { factor: 0.25, drops: 2 } }, [1, 1, 1, 1], [1, 0.25, 0.0625, 0.0625], true],
    [{ patience: 3 }, [1, 2, 0.5, 2, 2, 2], [1, 1, 1, 1, 1, 1], true],
    [{ patience: 3 }, [1, 2, 0.5, 2, 2], [1, 1, 1, 1, 1], false],
    [{}, [1, 2, 3, 4], [1, 1, 1, 1], false],
  ];
  using model = new Model(device, [new Linear(1, 1)]);
  using optimizer = new Sgd(model, 1);
  for (const [options, losses, rates, isOver] of cases) {
    using judge = new Judge(model, optimizer, options);
    const seen = [];
    for (const loss of losses) seen.push((await judge.tell([loss])).rateFactor);
    assertEquals(seen, rates);
    assertEquals(judge.verdict.isOver, isOver, `${losses}`);
    assertEquals((await judge.counts.read())[0], rates.at(-1));
  }
});

gpuTest("resume() counts the drops of then by the factor of now, as the GPU does", async (device) => {
  using model = new Model(device, [new Linear(1, 1)]);
  using optimizer = new Sgd(model, 1);
  using first = new Judge(model, optimizer, { patience: 1, plateau: { factor: 0.7 } });
  for (let epoch = 0; epoch < 4; epoch++) await first.tell([1]);
  const counts = await first.counts.read();
  const cases: [JudgeOptions, number][] = [
    [{ patience: 1, plateau: { factor: 0.7 } }, counts[0]], // to the bit
    [{ patience: 10, plateau: { factor: 0.25, drops: 9 } }, 0.25 ** 3],
    [{ patience: 10 }, 1],
  ];
  for (const [options, rate] of cases) {
    using judge = new Judge(model, optimizer, options);
    judge.resume(counts);
    assertEquals((await judge.counts.read())[0], rate);
    assertAlmostEquals(judge.verdict.rateFactor, rate, 1e-6);
  }
});

/** Two networks side by side, each parameter of which can be told by its member. */
function pair(device: Device) {
  const model = new Model(device, multilayerPerceptron(3, [5], 2, { members: 2 }));
  const optimizer = new Adam(model, 0.1);
  /** Gives the members' parameters these values. */
  const fill = (...values: number[]) => {
    for (const { parameter: { value } } of model.parameters) {
      value.write(Float32Array.from({ length: value.size }, (_, i) => values[Math.floor(2 * i / value.size)]));
    }
  };
  const read = async () => Object.values(await model.read()).map((all) => [...new Set(all)]);
  return { model, optimizer, fill, read, [Symbol.dispose]: () => [optimizer, model].forEach((one) => one.dispose()) };
}

gpuTest("each member keeps its own best weights, and all go back to them with a fresh optimizer", async (device) => {
  using setup = pair(device);
  const { model, optimizer, fill, read } = setup;
  using judge = new Judge(model, optimizer, { patience: 2, plateau: { factor: 0.2, drops: 1, goesBack: true } });
  const told: [losses: number[], ages: number[], waited: number][] = [
    [[5, 5], [0, 0], 0],
    [[4, 6], [0, 1], 0],
    [[6, 4], [1, 0], 0],
    [[6, 6], [2, 1], 1],
  ];
  for (const [i, [losses, ages, waited]] of told.entries()) {
    fill(10 + i, 20 + i);
    const verdict = await judge.tell(losses);
    assertEquals([verdict.ages, verdict.waited, verdict.losses], [ages, waited, losses]);
  }
  model.gradients.write(new Float32Array(model.gradients.size).fill(1));
  optimizer.step();
  fill(1, 1);
  const { best, drops } = await judge.tell([9, 9]);
  assertEquals([best, drops], [[4, 4], 1]);
  assertEquals(await read(), model.parameters.map(() => [11, 22]));
  for (const name of ["mean", "variance"]) assertEquals(new Set(await optimizer.state[name].read()), new Set([0]));
  assertEquals([...await optimizer.state.powers.read()], [1, 1]);
  fill(1, 2);
  assertEquals((await judge.tell([4, 3])).waited, 0); // no better than its best, and better
  fill(7, 7);
  judge.restore();
  assertEquals(await read(), model.parameters.map(() => [11, 2]));
  assertThrows(() => judge.verdicts(9999));
  await assertRejects(() => judge.tell([1]), TypeError, "Cannot judge 2 members by 1 losses");
});

gpuTest("a loss that is NaN leaves its member the best weights, while others become better", async (device) => {
  using setup = pair(device);
  const { model, optimizer, fill, read } = setup;
  using judge = new Judge(model, optimizer, { patience: 2 });
  fill(1, 2);
  await judge.tell([5, 5]);
  fill(3, 4);
  const { best, ages, waited } = await judge.tell([NaN, 4]);
  assertEquals([best, ages, waited], [[5, 4], [1, 0], 0]);
  judge.restore();
  assertEquals(await read(), model.parameters.map(() => [1, 4]));
});

gpuTest(
  "a batch of steps is full with as many epochs as verdicts are kept; one more is judged all the same",
  async (device) => {
    using model = new Model(device, [new Linear(1, 1)]);
    using optimizer = new Sgd(model, 1);
    using x = Tensor.from(device, [[1]]);
    using judge = new Judge(model, optimizer, { validation: { loss: mse, x, y: x } });
    using watch = new FiniteWatch(model, optimizer);
    using losses = Tensor.zeros(device, [1]);
    using batch = new StepBatch(watch, losses, judge);
    const full: number[] = [];
    for (let step = 1; step <= 1024; step++) {
      batch.keep();
      batch.add({ start: 0, steps: 1, firstStep: step, ends: true, isWatched: false });
      if (batch.isFull) full.push(step);
    }
    judge.measureAndJudge(); // as nobody should
    assertEquals(full, [1024]);
    const verdicts = (await batch.read(() => undefined)).map(({ verdict }) => verdict!);
    assertEquals(verdicts.map(({ ages }) => ages[0]), Array.from({ length: 1024 }, (_, epoch) => epoch));
    assertEquals((await judge.counts.read())[7], 1024); // the member's age
  },
);

gpuTest("a ValidationPass measures each member, in chunks too", async (device) => {
  const rows = 9000;
  using model = new Model(device, multilayerPerceptron(2, [64], 3, { members: 2 }));
  const [x, y] = [randomMatrix(rows, 2, 1), randomMatrix(rows, 3, 2)];
  using ofX = upload(device, x);
  using ofY = upload(device, y);
  for (const loss of [mse, softmaxCrossEntropy]) {
    for (const count of [15, rows]) {
      const [partX, partY] = [ofX.view(0, [count, 2]), ofY.view(0, [count, 3])];
      using sums = Tensor.zeros(device, [2]);
      using pass = new ValidationPass(model, { loss, x: partX, y: partY }, sums);
      pass.run();
      const twice = new Matrix(2 * count, 2, [...x.data.slice(0, 2 * count), ...x.data.slice(0, 2 * count)]);
      using input = upload(device, twice);
      using output = device.tidy(() => model.forward(input));
      const own = await output.read();
      for (const [m, sum] of (await sums.read()).entries()) {
        const member = new Matrix(count, 3, own.slice(3 * m * count, 3 * (m + 1) * count));
        const expected = loss.reference.forward(member, new Matrix(count, 3, y.data.slice(0, 3 * count)));
        assertAlmostEquals(sum, expected, 1e-6 + 1e-5 * Math.abs(expected), `${loss.kind} of ${count}`);
      }
    }
  }
});

/** A training on noise, which soon fits its rows alone. */
function overfit(device: Device, options: JudgeOptions = {}) {
  using stack = new DisposableStack();
  const [x, y] = [1, 2].map((seed) => stack.use(upload(device, randomMatrix(23, 2, seed))));
  const validation = { loss: mse, x: stack.use(upload(device, randomMatrix(9, 2, 3))), y: y.view(0, [9, 2]) };
  const members = 2;
  const layers = [new Linear(2, 16, { members }), new ReLU(), new Dropout(0.1), new Linear(16, 2, { members })];
  const model = stack.use(new Model(device, layers));
  const optimizer = stack.use(new Adam(model, 0.03));
  const plateau = { factor: 0.2, drops: 1, goesBack: true };
  const judge = stack.use(new Judge(model, optimizer, { validation, patience: 4, plateau, ...options }));
  const trainer = stack.use(new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 5, seed: 1, judge }));
  const owned = stack.move();
  return { trainer, judge, model, [Symbol.dispose]: () => owned.dispose() };
}

gpuTest("a Trainer that runs ahead ends with the same bits as one that waits for each epoch", async (device) => {
  const ended = await Promise.all([false, true].map(async (isAhead) => {
    using setup = overfit(device);
    const { trainer } = setup;
    const epochs = await Array.fromAsync(trainer.epochs(500, { isAhead }));
    assert(epochs.length < 500 && setup.judge.verdict.isOver);
    assertEquals(trainer.step, epochs.at(-1)!.step);
    assertEquals(await Array.fromAsync(trainer.epochs(500)), []);
    assertEquals([epochs[0].rateFactor, epochs.at(-1)!.rateFactor], [1, 0.2]);
    return { epochs, state: await trainer.snapshot() };
  }));
  assertEquals(ended[0], ended[1]);
});

gpuTest("a judged training continues bit for bit from any step", async (device) => {
  using whole = overfit(device);
  const expected = await Array.fromAsync(whole.trainer.epochs(500, { isAhead: true }));
  const last = expected.at(-1)!.step;
  for (const cut of [1, 7, 30, last - 2]) {
    using first = overfit(device);
    const before = await Array.fromAsync(first.trainer.epochs(500, { isAhead: true, between: (step) => cut - step }));
    const state = await first.trainer.snapshot();
    assertEquals(state.step, cut);
    using second = overfit(device);
    second.trainer.restore(state);
    const after = await Array.fromAsync(second.trainer.epochs(500, { isAhead: true }));
    assertEquals([...before, ...after].map(({ verdict }) => verdict), expected.map(({ verdict }) => verdict));
    assertEquals(await second.trainer.snapshot(), await whole.trainer.snapshot());
  }
});

gpuTest("where ranks meet, the outer velocity begins anew with the best weights", async (device) => {
  using model = new Model(device, [new Linear(2, 2)]);
  using optimizer = new Sgd(model, 0.1);
  using x = upload(device, randomMatrix(12, 2, 1));
  const validation = { loss: mse, x, y: x };
  // After the first, no epoch is better by so much.
  const plateau = { factor: 0.5, drops: 1, goesBack: true };
  using judge = new Judge(model, optimizer, { validation, patience: 1, minDelta: 1e9, plateau });
  const group = { communicator: ALONE, syncEvery: 2 };
  using trainer = new Trainer({ model, loss: mse, optimizer, x, y: x, batchSize: 3, seed: 1, judge, group });
  const states: TrainingState[] = [];
  for await (const _ of trainer.epochs(2)) states.push(await trainer.snapshot());
  const [first, second] = states.map(({ tensors }) => tensors);
  assertEquals(states.map(({ tensors }) => tensors.judge.data[2]), [0, 1]);
  for (const name of ["0.weight", "0.bias"]) {
    assertEquals(second[`weights.${name}`], first[`weights.${name}`]);
    assertEquals(first[`best.${name}`], first[`weights.${name}`]);
    assert(first[`outer.${name}`].data.some((value) => value !== 0));
    assert(second[`outer.${name}`].data.every((value) => value === 0));
  }
});

gpuTest("more patience lets a training that is over go on from its best weights", async (device) => {
  using first = overfit(device, { plateau: undefined });
  const { length } = await Array.fromAsync(first.trainer.epochs(500));
  using second = overfit(device, { plateau: undefined, patience: 6 });
  second.trainer.restore(await first.trainer.snapshot());
  const [next] = await Array.fromAsync(second.trainer.epochs(1));
  assertEquals([next.epoch, next.verdict!.waited], [length + 1, 5]);
});

gpuTest("a validation loss that is not finite ends the training, and names the member", async (device) => {
  using setup = overfit(device);
  const { parameter } = setup.model.parameters.at(-1)!;
  parameter.value.write([0, 0, NaN, 0]);
  const { loss, x, y } = setup.judge.options.validation!;
  using judge = new Judge(setup.model, setup.trainer.options.optimizer, { validation: { loss, x, y } });
  // Rows of weight 0 let no step see it.
  const still = {
    ...mse,
    forwardBackward: (...given: Parameters<typeof mse.forwardBackward>) => {
      const { dPrediction } = mse.forwardBackward(...given);
      return { loss: Tensor.zeros(device, []), dPrediction };
    },
  };
  const { model, optimizer } = setup.trainer.options;
  using sources = upload(device, randomMatrix(5, 2, 1));
  using trainer = new Trainer({ model, optimizer, loss: still, x: sources, y: sources, batchSize: 5, seed: 1, judge });
  const error = await assertRejects(() => Array.fromAsync(trainer.epochs(1)), NotFiniteError);
  assertNotEquals(error.message.indexOf("validation loss of member 2 is NaN at step 1"), -1, error.message);
});

gpuTest("a Judge refuses settings out of range, and leaves nothing behind", (device) => {
  using setup = pair(device);
  const { buffers } = device.stats;
  using x = Tensor.zeros(device, [4, 3]);
  using y = Tensor.zeros(device, [3, 2]);
  const own = device.stats.buffers - buffers;
  const plain = { ...mse, forward: (p: Tensor, t: Tensor) => mse.forward(p, t) };
  const cases: [JudgeOptions, string][] = [
    [{ patience: 1.5 }, "Cannot wait for 1.5 epochs: patience must be a whole number from 0"],
    [{ minDelta: -1 }, "Cannot use a minDelta of -1: it must be a finite number from 0 on"],
    [{ plateau: { factor: 1 } }, "Cannot reduce learning rates by a factor of 1: it must be over 0 and below 1"],
    [{ plateau: { factor: 0.5, drops: -1 } }, "Cannot reduce learning rates -1 times"],
    [{ validation: { loss: mse, x, y } }, "Cannot measure x [4, 3] and y [3, 2]: need [rows, in] and [rows, out]"],
    [
      { validation: { loss: plain, x: x.view(0, [3, 3]), y } },
      "Cannot judge 2 members by the loss mse: it gives none for each",
    ],
  ];
  for (const [options, text] of cases) {
    assertThrows(() => new Judge(setup.model, setup.optimizer, options), Error, text);
  }
  assertEquals(device.stats.buffers, buffers + own);
});
