/**
 * This project as a worker of the bench; results are lines of JSON:
 *
 *     deno run --allow-env tasks/bench/backhand.ts training 0.5 seed 100
 *     deno run --allow-env tasks/bench/backhand.ts products 0.5 256 1000x333x77
 *     deno run --allow-env tasks/bench/backhand.ts endurance 100000
 */

import { isSmallStep } from "../../lib/gpu/adapter.ts";
import { Device } from "../../lib/gpu/device.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { Model } from "../../lib/core/model.ts";
import { matmul } from "../../lib/arithmetic/ops.ts";
import { Sgd } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { trainByHand } from "./by_hand.ts";
import type { Factors, Size } from "./products.ts";
import type { Held } from "./results.ts";
import { type Multiplied, report, type Trained, work } from "./worker.ts";
import {
  batchesOf,
  initialParameters,
  learningRateOf,
  lossOf,
  weightsOf,
  type Workload,
  workloadOf,
} from "./workloads.ts";

/** Loads a workload, to be trained as `deno task train` does it, with the rows in the given order. */
async function train(workload: Workload): Promise<Trained & { device: Device }> {
  const { rows, widths, batch: batchSize } = workload;
  const device = await Device.request({ smallDispatches: isSmallStep(workload.batch, weightsOf(workload)) });
  const inputs = widths[0];
  const outputs = widths.at(-1)!;
  const model = new Model(device, multilayerPerceptron(inputs, widths.slice(1, -1), outputs));
  const optimizer = new Sgd(model, learningRateOf(workload));
  const batches = batchesOf(workload);
  const upload = (side: "x" | "y", width: number) =>
    Tensor.from(device, Float32Array.from(batches.flatMap((batch) => [...batch[side]])), [rows, width]);
  const x = upload("x", inputs);
  const y = upload("y", outputs);
  const first = initialParameters(workload).flatMap(({ weight, bias }) => [weight, bias]);
  model.parameters.forEach(({ parameter }, i) => parameter.value.write(first[i]));
  const options = { model, loss: lossOf(workload), optimizer, batchSize, seed: 1, shuffle: false };
  const trainerOn = (rows: number) =>
    new Trainer({ ...options, x: x.view(0, [rows, inputs]), y: y.view(0, [rows, outputs]) });
  const trainer = trainerOn(rows);
  const granule = trainer.stepsPerEpoch;
  /** Over all steps of whole epochs. */
  const counted = { steps: 0, reads: 0, allocations: 0, bindGroups: 0, waits: 0 };

  async function steps(count: number): Promise<void> {
    const epochs = Math.floor(count / granule);
    const before = { ...device.stats };
    for await (const _ of trainer.epochs(epochs, { onProgress: () => void counted.reads++ }));
    counted.steps += epochs * granule;
    for (const key of ["allocations", "bindGroups", "waits"] as const) counted[key] += device.stats[key] - before[key];
    if (count % granule === 0) return;
    using rest = trainerOn(count % granule * batchSize);
    await Array.fromAsync(rest.epochs(1));
  }

  /** A read of losses needs one wait and one buffer: these do not count. */
  const costs = () => ({
    dispatches: trainer.dispatchesPerStep,
    allocations: (counted.allocations - counted.reads) / counted.steps,
    bindGroups: counted.bindGroups / counted.steps,
    waits: (counted.waits - counted.reads) / counted.steps,
    reads: counted.reads / counted.steps,
  });
  return { device, granule, steps, parameters: async () => Object.values(await model.read()), costs };
}

async function endure(count: number): Promise<void> {
  const { device, steps } = await train(workloadOf("seed"));
  const held = (): Held => {
    const { buffers, bytes } = device.stats;
    return { buffers, bytes, resident: Deno.memoryUsage().rss };
  };
  await steps(count / 4); // fills pools and caches
  const before = held();
  await steps(count);
  report({ steps: count, before, after: held() });
}

async function multiply([m, k, n]: Size, { a, b }: Factors): Promise<Multiplied> {
  const device = await Device.request();
  const left = Tensor.from(device, a, [m, k]);
  const right = Tensor.from(device, b, [k, n]);
  const out = Tensor.zeros(device, [m, n]);
  const recording = device.record(() => void matmul(left, right, { out }));
  const products = async (count: number) => {
    recording.replay(count);
    return await out.read();
  };
  return { products, product: () => products(1) };
}

if (Deno.args[0] === "endurance") await endure(Number(Deno.args[1]));
else {await work({ name: "backhand", backend: "webgpu" }, Deno.args, {
    train: (workload) => workload.name === "hand" ? trainByHand(workload) : train(workload),
    multiply,
  });}
