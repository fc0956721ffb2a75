/**
 * Trains the deep workload as one rank of a job, or alone, as a worker of the bench; rank 0 prints a line of JSON:
 *
 *     deno run --allow-env tasks/bench/ranks_worker.ts alone 1 1 128 4
 *     mpirun -n 2 deno run --allow-env --allow-ffi tasks/bench/ranks_worker.ts mpi 1 16 128 4
 *
 * Arguments: `alone`, `mpi`, `apart` (ranks never meet) or `exchange` (times all-reduces only); threads of a software adapter;
 * steps between two meetings; rows of a rank's step; epochs to time.
 */

import { ALONE, type Communicator } from "../../lib/ranks/communicator.ts";
import { Device } from "../../lib/gpu/device.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { Model } from "../../lib/core/model.ts";
import { Sgd } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { median } from "./results.ts";
import { chooseGpu } from "../mpi/gpu_of_rank.ts";
import { learningRateOf, lossOf, workloadOf } from "./workloads.ts";

const ROWS = 16_384;

/** Counts the bytes that a rank hands to the others. */
function counting(communicator: Communicator, counts: { bytes: number }): Communicator {
  return {
    rank: communicator.rank,
    size: communicator.size,
    allReduce: async (values, how) => {
      counts.bytes += values.byteLength;
      await communicator.allReduce(values, how);
    },
    broadcast: (bytes) => communicator.broadcast(bytes),
    barrier: () => communicator.barrier(),
    gather: (bytes) => communicator.gather(bytes),
  };
}

/** Times all-reduces from 1 kB to 4 MiB. */
async function exchange(): Promise<void> {
  const mpi = await (await import("../../lib/ranks/mpi.ts")).Mpi.open();
  for (let bytes = 1024; bytes <= 4 * 2 ** 20; bytes *= 8) {
    const values = new Float32Array(bytes / 4);
    const times: number[] = [];
    for (let round = 0; round < 60; round++) {
      await mpi.barrier();
      const since = performance.now();
      await mpi.allReduce(values);
      times.push(performance.now() - since);
    }
    if (mpi.rank === 0) console.log(JSON.stringify({ bytes, seconds: median(times) / 1000 }));
  }
  await mpi.close();
}

async function train([mode, threads, syncEvery, batch, epochs]: readonly string[]): Promise<void> {
  const mpi = mode === "alone" ? undefined : await (await import("../../lib/ranks/mpi.ts")).Mpi.open();
  const counts = { bytes: 0 };
  const communicator = counting(mpi ?? ALONE, counts);
  if (mpi) chooseGpu(mpi.localRank);
  using device = await Device.request({ threads: Number(threads) });
  const workload = workloadOf("deep");
  const { widths } = workload;
  const isApart = mode !== "mpi";
  const batchSize = Number(batch) * (isApart ? 1 : communicator.size);
  using model = new Model(device, multilayerPerceptron(widths[0], widths.slice(1, -1), widths.at(-1)!));
  using optimizer = new Sgd(model, learningRateOf(workload));
  const inputs = Float32Array.from({ length: ROWS * widths[0] }, (_, i) => Math.sin(i));
  using x = Tensor.from(device, inputs, [ROWS, widths[0]]);
  using y = Tensor.zeros(device, [ROWS, widths.at(-1)!]);
  y.write(Float32Array.from({ length: y.size }, (_, i) => i % 11 === 0 ? 1 : 0));
  using trainer = new Trainer({
    model,
    loss: lossOf(workload),
    optimizer,
    x,
    y,
    batchSize,
    seed: 1,
    group: isApart ? undefined : { communicator, syncEvery: Number(syncEvery) },
  });
  await Array.fromAsync(trainer.epochs(1));
  await communicator.barrier();
  counts.bytes = 0;
  const before = trainer.step;
  const since = performance.now();
  await Array.fromAsync(trainer.epochs(Number(epochs)));
  await communicator.barrier();
  const seconds = (performance.now() - since) / 1000;
  const steps = trainer.step - before;
  if (communicator.rank === 0) {
    const bytesPerStep = counts.bytes / steps;
    const rows = Number(epochs) * ROWS * (isApart ? communicator.size : 1);
    console.log(JSON.stringify({ rowsPerSecond: rows / seconds, stepSeconds: seconds / steps, bytesPerStep }));
  }
  await mpi?.close();
}

await (Deno.args[0] === "exchange" ? exchange() : train(Deno.args));
