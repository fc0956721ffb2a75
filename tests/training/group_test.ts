/** Several ranks train as one process would: with summed gradients, and with steps of their own and outer steps. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { type Group, ownOrder, shareOf } from "../../lib/training/group/group.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import type { TrainingState } from "../../lib/training/training_state.ts";
import { assertClose } from "../support/assert_close.ts";
import { gpuTest, permittedGpuTest } from "../support/gpu_test_case.ts";
import { asRanks } from "../support/rank_group.ts";
import { smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";

/** A small training, and what a test may change of it. */
interface Case extends Omit<SmallTrainingOptions, "group"> {
  hidden?: number[];
  dropout?: number;
  epochs?: number;
  between?: (step: number) => number;
  evaluate?: () => Promise<void>;
  from?: TrainingState;
  group?: Omit<Group, "communicator">;
}

/** Trains as one rank, or alone where there is no communicator. */
async function train(device: Device, it: Case, communicator?: Communicator) {
  const { hidden = [5], dropout = 0, epochs = 3, between, evaluate, from, ...options } = it;
  const { rows = 40, batchSize = 12 } = options;
  const layers = multilayerPerceptron(3, hidden, 2, { activation: "tanh", dropout, seed: 1 });
  const group = communicator && { communicator, ...it.group };
  const windowRows = Math.ceil(rows / batchSize) * batchSize;
  const base = { rows, batchSize, windowRows, inputs: 3, targets: 2, seed: 9 };
  using setup = smallTraining(device, { ...base, ...options, layers, group });
  const { trainer, model } = setup;
  if (from) trainer.restore(from);
  const results = await Array.fromAsync(trainer.epochs(epochs - trainer.epoch, { between, evaluate }));
  return {
    values: await model.values.read() as Float32Array,
    losses: results.map(({ loss }) => loss),
    state: await trainer.snapshot(),
  };
}

Deno.test("shareOf() gives every row to one rank, as evenly as can be", () => {
  for (const [rows, size] of [[10, 1], [10, 3], [2, 4], [0, 3], [64, 4], [65, 4]]) {
    const shares = Array.from({ length: size }, (_, rank) => shareOf(rows, { rank, size }));
    assertEquals([shares[0][0], shares.at(-1)![1]], [0, rows]);
    shares.slice(1).forEach(([start], i) => assertEquals(start, shares[i][1]));
    const counts = shares.map(([start, end]) => end - start);
    assert(Math.max(...counts) - Math.min(...counts) <= 1);
  }
});

Deno.test("ownOrder() gives the ranks together all rows of every step", () => {
  const order = Uint32Array.from({ length: 11 }, (_, i) => 10 * i);
  const shares = [0, 1, 2].map((rank) => [...ownOrder(order, 4, { rank, size: 3 })]);
  assertEquals(shares, [[0, 10, 40, 50, 80], [20, 60, 90], [30, 70, 100]]);
});

for (const kind of ["sgd", "momentum", "adamw"] as const) {
  // Small steps, which all threads of the software adapter make slow: the environment says how many.
  permittedGpuTest(`Trainer with summed gradients is as one process over 200 steps: ${kind}`, async (device) => {
    // 40 rows in batches of 12: a short step of 4, of which four ranks have one row each; 3 ranks divide neither evenly.
    const it: Case = { optimizer: kind, epochs: 50, learningRate: kind === "adamw" ? 0.01 : 0.05 };
    const alone = await train(device, it);
    assertEquals(alone.state.step, 200);
    const sizes = kind === "sgd" ? [1, 2, 3, 4] : [3, 4];
    const groups = await Promise.all(
      sizes.map((size) => asRanks(size, (communicator) => train(device, it, communicator))),
    );
    for (const ranks of groups) {
      for (const { values, losses } of ranks) {
        assertEquals(values, ranks[0].values, "all ranks have the same bits");
        assertClose(values, alone.values, { atol: 1e-5, rtol: 0 });
        assertClose(losses, alone.losses, { atol: 1e-5, rtol: 0 });
      }
    }
  });
}

gpuTest("Trainer with summed gradients has rows for no rank but the first in a step of one row", async (device) => {
  const it: Case = { rows: 25, batchSize: 12, epochs: 4, clipNorm: 0.1 };
  const alone = await train(device, it);
  const [first, second] = await asRanks(3, (communicator) => train(device, it, communicator));
  assertClose(first.values, alone.values, { atol: 1e-6, rtol: 0 });
  assertEquals(second.values, first.values);
});

gpuTest("Trainer with summed gradients sends them in buckets, those of the last layers first", async (device) => {
  // 3-520-520-2: the 1.1 MB of the middle layer's gradients fill a bucket, with the last one's in front.
  const it: Case = { hidden: [520, 520], epochs: 2, learningRate: 0.001, windowRows: 24 };
  const alone = await train(device, it);
  const lengths: number[] = [];
  const [first] = await asRanks(2, (communicator) => {
    const allReduce: Communicator["allReduce"] = (values, how) => {
      if (communicator.rank === 0 && values instanceof Float32Array) lengths.push(values.length);
      return communicator.allReduce(values, how);
    };
    return train(device, it, { ...communicator, allReduce });
  });
  assertClose(first.values, alone.values, { atol: 1e-5, rtol: 0 });
  const [late, early] = lengths;
  assert(late > 270_000 && early < 3_000, `${lengths.slice(0, 2)}`);
  assertEquals(lengths.length, 2 * alone.state.step, "the loss travels with the first layers' gradients");
});

gpuTest("Trainer with summed gradients has a bucket under way before it waits for the next", async (device) => {
  const waits: number[] = [];
  // As MPI's calls, it begins when those before are done.
  const allReduce: Communicator["allReduce"] = async (values) => {
    await null;
    if (values instanceof Float32Array) waits.push(device.stats.waits);
  };
  await train(device, { hidden: [520, 520], epochs: 1, learningRate: 0.001 }, { ...ALONE, allReduce });
  const steps = waits.length / 2;
  const between = Array.from({ length: steps }, (_, i) => waits[2 * i + 1] - waits[2 * i]);
  assertEquals(between, [1, 1, 1, 1], "reads between the two buckets of each step");
});

gpuTest("Trainer with steps of its own ends at all ranks where one finds what is not finite", async (device) => {
  let found = 0;
  await asRanks(2, async (communicator) => {
    const allReduce: Communicator["allReduce"] = (values, how) => {
      if (communicator.rank === 1 && values instanceof Float32Array && how === "max") {
        values[0] = 1;
        found = found + 1;
      }
      return communicator.allReduce(values, how);
    };
    const run = () => train(device, { group: { syncEvery: 2 } }, { ...communicator, allReduce });
    await assertRejects(run, NotFiniteError, "gradients");
  });
  assertEquals(found, 1);
});

gpuTest("Trainer with steps of its own and no momentum takes the mean of the ranks' parameters", async (device) => {
  // With one step between two meetings, SGD on the means of two halves of a batch is SGD on the batch.
  const group = { syncEvery: 2, outer: { learningRate: 1, momentum: 0 } };
  const it: Case = { rows: 24, batchSize: 12, epochs: 1, group };
  const ranks = await asRanks(2, (communicator) => train(device, it, communicator));
  assertEquals(ranks[0].values, ranks[1].values);
  // By hand: each rank alone on its rows, then the mean.
  const own = await Promise.all(
    [0, 1].map((rank) => train(device, it, { ...ALONE, rank, size: 2, allReduce: () => Promise.resolve() })),
  );
  // Alone, half of what it moved by is taken off: 2 (w' - w) + w is where it came to.
  const start = await train(device, { ...it, epochs: 0 });
  const mean = start.values.map((w, i) => w + (own[0].values[i] - w) + (own[1].values[i] - w));
  assertClose(ranks[0].values, mean, { atol: 1e-6, rtol: 0 });
});

gpuTest("Trainer with steps of its own learns, and all ranks agree at the end of each epoch", async (device) => {
  for (const optimizer of ["sgd", "adamw"] as const) {
    const it: Case = { optimizer, rows: 61, batchSize: 12, epochs: 12, learningRate: 0.02, group: { syncEvery: 4 } };
    const ranks = await asRanks(3, (communicator) => train(device, it, communicator));
    for (const { values, losses, state } of ranks) {
      assertEquals([values, losses], [ranks[0].values, ranks[0].losses]);
      assertEquals(state.tensors, ranks[0].state.tensors);
    }
    const { losses } = ranks[0];
    assert(losses.at(-1)! < 0.9 * losses[0], `${losses}`);
  }
});

gpuTest("Trainer of several ranks continues from a state bit for bit", async (device) => {
  for (const group of [{ syncEvery: 1 }, { syncEvery: 3 }]) {
    const it: Case = { optimizer: "momentum", rows: 100, batchSize: 10, epochs: 3, group };
    const whole = await asRanks(2, (communicator) => train(device, it, communicator));
    // Only the second rank asks for an end; both stop there.
    const stopping = (rank: number) => (step: number) => rank === 1 && step >= 12 ? 0 : Infinity;
    const halves = await asRanks(2, async (communicator) => {
      const { state } = await train(device, { ...it, between: stopping(communicator.rank) }, communicator);
      assert(state.step >= 12 && state.step < 30, `${state.step}`);
      if (group.syncEvery > 1) assertEquals(state.step % 10 % group.syncEvery, 0);
      return await train(device, { ...it, from: state }, communicator);
    });
    assertEquals(halves.map(({ values }) => values), whole.map(({ values }) => values));
  }
});

gpuTest("Trainer of several ranks continues bit for bit with dropout, and steps without rows", async (device) => {
  for (const group of [{ syncEvery: 1 }, { syncEvery: 2 }]) {
    // Each epoch ends with a step of one row, which is the first rank's.
    const it: Case = { rows: 25, batchSize: 12, epochs: 4, dropout: 0.5, group };
    const whole = await asRanks(3, (communicator) => train(device, it, communicator));
    const halves = await asRanks(3, async (communicator) => {
      const { state } = await train(device, { ...it, epochs: 2 }, communicator);
      // A checkpoint is what the first rank stands at.
      const counters = await communicator.gather(new TextEncoder().encode(JSON.stringify(state.counters)));
      counters?.forEach((other) => assertEquals(other, counters[0]));
      return await train(device, { ...it, from: state }, communicator);
    });
    assertEquals(halves.map(({ values }) => values), whole.map(({ values }) => values));
  }
});

gpuTest("Trainer of several ranks lets them meet in an evaluation, whichever comes to it first", async (device) => {
  await asRanks(3, async (communicator) => {
    const evaluate = async () => {
      // The last rank has nothing to measure.
      if (communicator.rank < 2) await new Promise((resolve) => setTimeout(resolve, 30));
      await communicator.allReduce(new Float64Array(1));
    };
    await train(device, { rows: 24, epochs: 3, group: { syncEvery: 2 }, evaluate }, communicator);
  });
});

gpuTest("Trainer with steps of its own begins from parameters that were replaced", async (device) => {
  const it: Case = { rows: 12, group: { syncEvery: 4, outer: { learningRate: 0.5, momentum: 0 } } };
  const { state, values: start } = await train(device, { ...it, epochs: 2, learningRate: 0.3 }, ALONE);
  const tensors = Object.fromEntries(Object.entries(state.tensors).filter(([name]) => !name.startsWith("outer.")));
  const alone = await train(device, { ...it, epochs: 3, from: { ...state, tensors } });
  const { values } = await train(device, { ...it, epochs: 3, from: state }, ALONE);
  assertClose(values, start.map((w, i) => w + 0.5 * (alone.values[i] - w)), { atol: 1e-6, rtol: 0 });
});

gpuTest("Trainer with summed gradients allocates nothing from step to step", async (device) => {
  const seen: number[] = [];
  const between = () => (seen.push(device.stats.allocations), 1);
  await train(device, { epochs: 3, between }, ALONE);
  // What reads losses is made again at each call, once for a chunk of one step here.
  const perStep = seen.slice(2).map((count, i) => count - seen[i + 1]);
  assert(perStep.every((count) => count <= 1), `${perStep}`);
});

gpuTest("Trainer refuses groups that cannot be", async (device) => {
  const of = (size: number) => ({ ...ALONE, size });
  const text = "Cannot share batches of 3 rows among 4 ranks: each needs one";
  await assertRejects(() => train(device, { batchSize: 3 }, of(4)), RangeError, text);
  await assertRejects(() => train(device, { group: { syncEvery: 0 } }, of(1)), RangeError, "Cannot meet every 0 steps");
});
