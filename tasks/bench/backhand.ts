/**
 * This project as a worker of the bench, its results as lines of JSON:
 *
 *     deno run --allow-env tasks/bench/backhand.ts training 0.5 seed 100
 *     deno run --allow-env tasks/bench/backhand.ts products 0.5 256 1000x333x77
 *     deno run --allow-env tasks/bench/backhand.ts endurance 100000
 */

import { isSmallStep } from "../../lib/gpu/adapter.ts";
import { Device } from "../../lib/gpu/device.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { Model } from "../../lib/core/model.ts";
import { matmul } from "../../lib/core/ops.ts";
import { Sgd } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { factors, type Size } from "./products.ts";
import type { Held, Implementation, StepCosts } from "./results.ts";
import { parseTask, type Plan, report, timeProducts, timeTraining, type Trained } from "./worker.ts";
import {
  batchesOf,
  initialParameters,
  learningRateOf,
  lossOf,
  weightsOf,
  type Workload,
  workloadOf,
} from "./workloads.ts";

const self: Implementation = { name: "backhand", backend: "webgpu" };

/** A workload on the GPU, trained as `deno task train` does it, with the rows in the order given. */
class Training implements Trained, Disposable {
  readonly device: Device;
  readonly granule: number;
  /** Counted over all steps of whole epochs. */
  readonly #counted = { steps: 0, reads: 0, allocations: 0, bindGroups: 0, waits: 0 };
  readonly #model: Model;
  readonly #batchSize: number;
  readonly #trainer: Trainer;
  /** The first `rows` rows only, under the same model. */
  readonly #trainerOn: (rows: number) => Trainer;
  readonly #stack = new DisposableStack();

  constructor(device: Device, workload: Workload) {
    const { rows, widths, batch: batchSize } = workload;
    const inputs = widths[0];
    const outputs = widths.at(-1)!;
    const layers = multilayerPerceptron(inputs, widths.slice(1, -1), outputs);
    const model = this.#stack.use(new Model(device, layers));
    const optimizer = this.#stack.use(new Sgd(model, learningRateOf(workload)));
    const batches = batchesOf(workload);
    const loss = lossOf(workload);
    const upload = (side: "x" | "y", width: number) =>
      this.#stack.use(Tensor.from(device, join(batches.map((batch) => batch[side])), [rows, width]));
    const x = upload("x", inputs);
    const y = upload("y", outputs);
    const first = initialParameters(workload).flatMap(({ weight, bias }) => [weight, bias]);
    model.parameters.forEach(({ parameter }, i) => parameter.value.write(first[i]));

    const options = { model, loss, optimizer, batchSize, seed: 1, shuffle: false };
    this.#trainerOn = (rows) =>
      new Trainer({ ...options, x: x.view(0, [rows, inputs]), y: y.view(0, [rows, outputs]) });
    this.#trainer = this.#stack.use(this.#trainerOn(rows));
    this.device = device;
    this.granule = this.#trainer.stepsPerEpoch;
    this.#model = model;
    this.#batchSize = batchSize;
  }

  /** What steps do beside computing; what cannot be avoided, a wait and a buffer for each read of losses, is left out. */
  get costs(): StepCosts {
    const { steps, reads, allocations, bindGroups, waits } = this.#counted;
    return {
      dispatches: this.#trainer.dispatchesPerStep,
      allocations: (allocations - reads) / steps,
      bindGroups: bindGroups / steps,
      waits: (waits - reads) / steps,
      reads: reads / steps,
    };
  }

  async steps(count: number): Promise<void> {
    const epochs = Math.floor(count / this.granule);
    const rest = count % this.granule;
    const before = { ...this.device.stats };
    const counted = this.#counted;
    const onProgress = () => void counted.reads++;
    for await (const _ of this.#trainer.epochs(epochs, { onProgress }));
    counted.steps += epochs * this.granule;
    for (const key of ["allocations", "bindGroups", "waits"] as const) {
      counted[key] += this.device.stats[key] - before[key];
    }
    if (rest === 0) return;
    using trainer = this.#trainerOn(rest * this.#batchSize);
    await Array.fromAsync(trainer.epochs(1));
  }

  async parameters(): Promise<Float32Array[]> {
    return Object.values(await this.#model.read());
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}

async function request(workload: Workload): Promise<Device> {
  return await Device.request({ smallDispatches: isSmallStep(workload.batch, weightsOf(workload)) });
}

async function train(workload: Workload, plan: Plan): Promise<void> {
  using device = await request(workload);
  using training = new Training(device, workload);
  const result = await timeTraining(self, workload, training, plan);
  report({ ...result, costs: training.costs });
}

async function endure(steps: number): Promise<void> {
  const workload = workloadOf("seed");
  using device = await request(workload);
  using training = new Training(device, workload);
  const held = (): Held => {
    const { buffers, bytes } = device.stats;
    return { buffers, bytes, resident: Deno.memoryUsage().rss };
  };
  await training.steps(steps / 4); // fills pools and caches
  const before = held();
  await training.steps(steps);
  report({ steps, before, after: held() });
}

async function multiply(size: Size, seconds: number): Promise<void> {
  using device = await Device.request();
  const [m, k, n] = size;
  const { a, b } = factors(size);
  using left = Tensor.from(device, a, [m, k]);
  using right = Tensor.from(device, b, [k, n]);
  using out = Tensor.zeros(device, [m, n]);
  using recording = device.record(() => void matmul(left, right, { out }));
  const products = async (count: number) => {
    recording.replay(count);
    return await out.read();
  };
  report(await timeProducts(self, size, { products, product: () => products(1) }, seconds));
}

function join(parts: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.forEach((part, i) => all.set(part, i * part.length));
  return all;
}

if (Deno.args[0] === "endurance") {
  await endure(Number(Deno.args[1]));
} else {
  const task = parseTask(Deno.args);
  if (task.what === "training") await train(task.workload, task.plan);
  else for (const size of task.sizes) await multiply(size, task.seconds);
}
