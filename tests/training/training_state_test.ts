/** A training that is kept and taken up again, at any step: the same bits as one that was never left. */
import { assert, assertEquals, assertNotEquals, assertRejects, assertThrows } from "@std/assert";
import { loadCheckpoint, readCheckpointNotes, saveCheckpoint } from "../../lib/model_file/checkpoint.ts";
import type { Device } from "../../lib/gpu/device.ts";
import { DataError } from "../../lib/base/errors.ts";
import { Dropout, type Layer, Linear, ReLU } from "../../lib/core/layers.ts";
import { learningRateAt } from "../../lib/training/learning_rates.ts";
import type { TrainingState } from "../../lib/training/training_state.ts";
import { bits, gpuTest, permittedGpuTest } from "../support/gpu_test_case.ts";
import { watchEpoch } from "../support/watch_epoch.ts";
import { randomRows, type SmallTraining, smallTraining, type SmallTrainingOptions } from "../support/small_training.ts";
import { temporaryFile } from "../support/temp_files.ts";
import { permitted } from "../support/permitted.ts";

const ROWS = 23;
const BATCH = 5;
const EPOCHS = 3;
const STEPS = EPOCHS * Math.ceil(ROWS / BATCH);

interface Setup extends SmallTrainingOptions {
  dropout?: number;
  schedule?: "cosine" | "constant";
}

function setUp(device: Device, { dropout = 0, schedule, ...options }: Setup = {}): SmallTraining {
  const { learningRate = 0.05 } = options;
  const cosine = (step: number) => learningRateAt({ schedule: "cosine", learningRate, warmup: 2 }, step, STEPS);
  const layers: Layer[] = [new Linear(2, 6), new ReLU(), new Linear(6, 1)];
  if (dropout > 0) layers.splice(2, 0, new Dropout(dropout, { seed: 4 }));
  const learningRates = schedule === "cosine" ? cosine : undefined;
  const fixed = { source: randomRows(ROWS), batchSize: BATCH, seed: 3, layers, learningRates };
  return smallTraining(device, { optimizer: "adam", ...options, ...fixed });
}

/** Everything that a finished training leaves. */
async function ending({ model, optimizer, trainer }: ReturnType<typeof setUp>): Promise<unknown> {
  const state = await Promise.all(Object.values(optimizer.state).map(async (tensor) => bits(await tensor.read())));
  return [bits(await model.values.read()), state, trainer.step, trainer.epoch];
}

const CASES: Record<string, Setup> = {
  sgd: { optimizer: "sgd" },
  "momentum over windows": { optimizer: "momentum", windowRows: 10 },
  nesterov: { optimizer: "nesterov", clipNorm: 0.5 },
  rmsprop: { optimizer: "rmsprop" },
  "adam with a schedule over windows": { windowRows: 10, schedule: "cosine" },
  "adamw with dropout": { optimizer: "adamw", dropout: 0.5, schedule: "cosine" },
};

for (const [name, options] of Object.entries(CASES)) {
  gpuTest(`restore() continues from any step bit for bit: ${name}`, async (device) => {
    using whole = setUp(device, options);
    const states: TrainingState[] = [];
    const taken: Promise<void>[] = [];
    const between = () => {
      taken.push(whole.trainer.snapshot().then((state) => void states.push(state)));
      return 1;
    };
    const results = await Array.fromAsync(whole.trainer.epochs(EPOCHS, { between }));
    const end = await ending(whole);
    await Promise.all(taken);
    assertEquals(states.map(({ step }) => step), Array.from({ length: STEPS }, (_, step) => step));
    for (const state of states.filter(({ step }) => [0, 1, 4, 5, 7, 9, 14].includes(step))) {
      // A trainer that has gone elsewhere, and one that is new.
      using other = setUp(device, options);
      for (const setup of [whole, other]) {
        const { trainer } = setup;
        trainer.restore(state);
        const epochsDone = Math.floor(state.step / trainer.stepsPerEpoch);
        assertEquals(await Array.fromAsync(trainer.epochs(EPOCHS - epochsDone)), results.slice(epochsDone));
        assertEquals(await ending(setup), end, `from step ${state.step}`);
      }
    }
  });
}

gpuTest("snapshot() has the order of the epoch under way: another step, another end", async (device) => {
  using setup = setUp(device);
  await Array.fromAsync(setup.trainer.epochs(2, { between: (step) => 7 - step }));
  const state = await setup.trainer.snapshot();
  assertEquals([setup.trainer.step, setup.trainer.epoch, state.losses.length], [7, 1, 2]);
  await Array.fromAsync(setup.trainer.epochs(1));
  const right = bits(await setup.model.values.read());
  setup.trainer.restore({ ...state, step: 8, losses: new Float32Array(3) });
  await Array.fromAsync(setup.trainer.epochs(1));
  assertNotEquals(bits(await setup.model.values.read()), right);
});

permittedGpuTest("a training continues from a checkpoint file bit for bit, again and again", async (device) => {
  await using file = await temporaryFile("step.safetensors");
  const { path } = file;
  const options = CASES["adamw with dropout"];
  using whole = setUp(device, options);
  const results = await Array.fromAsync(whole.trainer.epochs(EPOCHS));
  {
    using first = setUp(device, options);
    await saveCheckpoint(path, await first.trainer.snapshot());
  }
  for (let step = 2;; step += 3) {
    using next = setUp(device, options);
    const { state } = await loadCheckpoint(path);
    next.trainer.restore(state);
    const left = EPOCHS - next.trainer.epoch;
    const seen = await Array.fromAsync(next.trainer.epochs(left, { between: (now) => step - now }));
    for (const result of seen) assertEquals(result, results[result.epoch - 1]);
    if (next.trainer.step === STEPS) {
      assertEquals(await ending(next), await ending(whole));
      break;
    }
    await saveCheckpoint(path, await next.trainer.snapshot(), { note: `${step}` });
    assertEquals(await readCheckpointNotes(path), { step, notes: { note: `${step}` } });
  }
});

gpuTest("epochs() that are looked at stop and continue within an epoch", async (device) => {
  using whole = setUp(device);
  const steps: number[] = [];
  const again: number[] = [];
  const expected = await watchEpoch(whole.trainer, (_, step) => void steps.push(step));
  using parts = setUp(device);
  const watch = (_: unknown, step: number) => void again.push(step);
  assertEquals(await watchEpoch(parts.trainer, watch, 3), undefined);
  assertEquals(await watchEpoch(parts.trainer, watch), expected);
  assertEquals([again, await ending(parts)], [steps, await ending(whole)]);
});

gpuTest("restore() refuses the state of another training, and changes nothing", async (device) => {
  using setup = setUp(device);
  using sgd = setUp(device, { optimizer: "sgd" });
  const state = await setup.trainer.snapshot();
  const before = bits(await sgd.model.values.read());
  const refuse = (given: TrainingState, text: string) =>
    void assertThrows(() => sgd.trainer.restore(given), TypeError, `Cannot continue from this state: ${text}`);
  refuse(state, "optimizer.mean.0.weight is unknown; optimizer.mean.0.bias is unknown");
  const own = await sgd.trainer.snapshot();
  const { "weights.0.bias": bias, ...rest } = own.tensors;
  refuse({ ...own, tensors: rest }, "weights.0.bias [6] is missing");
  const shaped = { ...rest, "weights.0.bias": { ...bias, shape: [2, 3] } };
  refuse({ ...own, tensors: shaped }, "weights.0.bias is [2, 3], need [6]");
  refuse({ ...own, counters: { "layers.1.step": 3 } }, "layers.1.step is unknown");
  for (const step of [7, 5.5]) refuse({ ...own, step }, `0 losses at step ${step}, with 5 steps an epoch`);
  using dropping = setUp(device, { optimizer: "sgd", dropout: 0.5 });
  assertThrows(() => dropping.trainer.restore(own), TypeError, "layers.2.step [1] is missing");
  assertEquals([bits(await sgd.model.values.read()), sgd.trainer.step], [before, 0]);
});

gpuTest("a snapshot costs no wait of the steps behind it, and leaves no buffer", async (device) => {
  using setup = setUp(device);
  await setup.trainer.snapshot();
  const { buffers, bytes } = device.stats;
  const taken: Promise<unknown>[] = [];
  const between = (step: number) => {
    if (step === 3) taken.push(setup.trainer.snapshot());
    return Infinity;
  };
  await Array.fromAsync(setup.trainer.epochs(2, { between }));
  await Promise.all(taken);
  assertEquals([device.stats.buffers, device.stats.bytes], [buffers, bytes]);
});

permitted("loadCheckpoint() refuses a file that was damaged anywhere, and one that is none", async () => {
  await using file = await temporaryFile("step.safetensors");
  const { path } = file;
  const tensors = { "weights.0.weight": { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) } };
  const state = { step: 3, losses: Float32Array.of(0.5), tensors, counters: { "layers.1.step": 7 } };
  await saveCheckpoint(path, state, { run: "a" });
  assertEquals(await loadCheckpoint(path), { state, notes: { run: "a" } });
  const bytes = await Deno.readFile(path);
  const flipped = Array.from(bytes, (byte, i) => bytes.with(i, byte ^ 1));
  const cut = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(0, 7 * i));
  for (const [i, damaged] of [...flipped, ...cut].entries()) {
    await Deno.writeFile(path, damaged);
    await assertRejects(() => loadCheckpoint(path), DataError, path, `file ${i} of ${damaged.length} bytes`);
  }
  await assertRejects(() => saveCheckpoint(path, state, { step: "4" }), TypeError, "a note named step");
  const away = `${path}.none/step.safetensors`;
  await assertRejects(() => saveCheckpoint(away, state), Deno.errors.NotFound, away);
  assert(bytes.length > 0);
});
