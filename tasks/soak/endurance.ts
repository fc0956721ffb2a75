/** A long training of the seed workload as `train` runs it, watched: what the process and the GPU hold, and how fast it is. */

import { isSmallStep } from "../../lib/gpu/adapter.ts";
import { Device } from "../../lib/gpu/device.ts";
import { evaluate } from "../../lib/evaluate/evaluation.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { Model } from "../../lib/core/model.ts";
import { Sgd } from "../../lib/core/optimizers.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import { Scaler } from "../../lib/data/scaler.ts";
import { RunningStatistics } from "../../lib/data/statistics.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { batchesOf, learningRateOf, lossOf, weightsOf, workloadOf } from "../bench/workloads.ts";

/** Parts of a tenth, each timed alone: their median leaves out what other processes do now and then. */
const SLICES = 10;
const TENTHS = 10;
/** How often a last tenth that was slow is run again: other processes go away, a real slowing does not. */
const AGAIN = 3;
/** Growth of resident memory that is allowed. */
const GROWTH = 0.05;

/** What is run. */
interface EnduranceOptions {
  /** Steps after the warm-up, which takes a tenth as many: a multiple of 100 epochs, 10,000 steps. */
  readonly steps: number;
  /** Whether each epoch ends with predictions on the validation rows, read and measured. */
  readonly evaluated: boolean;
  /** Share by which the last tenth may be slower than the median of all. */
  readonly slowing: number;
  /** Called after each epoch: for tests, which plant faults. */
  readonly afterEpoch?: (device: Device) => void;
}

/** A tenth of the steps. */
export interface Tenth {
  /** Steps done at its end, without the warm-up. */
  readonly step: number;
  /** Steps per second, the median of its slices. */
  readonly rate: number;
  /** Resident memory in bytes at its end; without garbage where V8 runs with --expose-gc. */
  readonly resident: number;
  /** Live GPU buffers at its end, and their bytes. */
  readonly buffers: number;
  readonly bytes: number;
}

/** Trains, and looks at itself. */
export async function endure(options: EnduranceOptions): Promise<Tenth[]> {
  using stack = new DisposableStack();
  const workload = workloadOf("seed");
  const device = stack.use(
    await Device.request({ smallDispatches: isSmallStep(workload.batch, weightsOf(workload)) }),
  );
  const runEpochs = buildRun(stack, device, options);
  const tenths: Tenth[] = [];
  const epochs = options.steps / workload.rows * workload.batch / TENTHS / SLICES;
  await runTenth(device, runEpochs, epochs, 0);
  for (let i = 0; i < TENTHS || (slowingOf(tenths) > options.slowing && i < TENTHS + AGAIN); i++) {
    tenths.push(await runTenth(device, runEpochs, epochs, (i + 1) * options.steps / TENTHS));
  }
  return tenths;
}

/** What trains so many epochs, to the end of all that they read. */
function buildRun(
  stack: DisposableStack,
  device: Device,
  options: EnduranceOptions,
): (epochs: number) => Promise<void> {
  const workload = workloadOf("seed");
  const { rows, widths, batch } = workload;
  const loss = lossOf(workload);
  const model = stack.use(new Model(device, multilayerPerceptron(widths[0], widths.slice(1, -1), widths.at(-1)!)));
  const optimizer = stack.use(new Sgd(model, learningRateOf(workload)));
  const batches = batchesOf(workload);
  const side = (key: "x" | "y") => batches.flatMap((batch) => [...batch[key]]);
  const x = stack.use(Tensor.from(device, side("x"), [rows, 1]));
  const targets = side("y");
  const y = stack.use(Tensor.from(device, targets, [rows, 1]));
  const trainer = stack.use(new Trainer({ model, loss, optimizer, x, y, batchSize: batch, seed: 1 }));
  const held = rows / 10;
  const validation = x.view(0, [held, 1]);
  const expected = targets.slice(0, held);
  const predictor = stack.use(new Predictor(model, 1, held));
  const statistics = new RunningStatistics(["y"]);
  targets.forEach((value) => statistics.add([value]));
  const scaler = new Scaler("standardize", statistics.result());
  const validate = async () => evaluate(await predictor.predict(validation), expected, loss, scaler);
  return async (epochs) => {
    for await (const { loss } of trainer.epochs(epochs, { evaluate: options.evaluated ? validate : undefined })) {
      if (!Number.isFinite(loss)) throw new RangeError(`The loss became ${loss}`);
      options.afterEpoch?.(device);
    }
  };
}

async function runTenth(
  device: Device,
  runEpochs: (epochs: number) => Promise<void>,
  epochs: number,
  step: number,
): Promise<Tenth> {
  const rates: number[] = [];
  const { rows, batch } = workloadOf("seed");
  for (let slice = 0; slice < SLICES; slice++) {
    const start = performance.now();
    await runEpochs(epochs);
    rates.push(epochs * rows / batch / (performance.now() - start) * 1000);
  }
  // What nobody holds any more goes first: V8 lets some 40 MB of it lie before it looks.
  (globalThis as { gc?: () => void }).gc?.();
  const { buffers, bytes } = device.stats;
  return { step, rate: median(rates), resident: Deno.memoryUsage().rss, buffers, bytes };
}

/** What is wrong. */
export function faultsOf(tenths: readonly Tenth[], slowing: number): string[] {
  const faults: string[] = [];
  const [first] = tenths;
  const last = tenths.at(-1)!;
  const percent = (v: number) => `${(100 * v).toFixed(1)}%`;
  const other = tenths.find(({ buffers, bytes }) => buffers !== first.buffers || bytes !== first.bytes);
  if (other) {
    const held = ({ step, buffers, bytes }: Tenth) => `${buffers} of ${bytes} bytes after step ${step}`;
    faults.push(`live GPU buffers are not constant: ${held(first)}, ${held(other)}`);
  }
  const growth = last.resident / first.resident - 1;
  if (growth > GROWTH) {
    faults.push(`resident memory grew by ${percent(growth)} between steps ${first.step} and ${last.step}`);
  }
  const slow = slowingOf(tenths);
  if (slow > slowing) faults.push(`steps became slower: the last tenth by ${percent(slow)} of the median of all`);
  return faults;
}

/** Share by which the last tenth, the best of its runs, is slower than the median of all. */
function slowingOf(tenths: readonly Tenth[]): number {
  const rates = tenths.map(({ rate }) => rate);
  return 1 - Math.max(...rates.slice(TENTHS - 1)) / median(rates.slice(0, TENTHS));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
