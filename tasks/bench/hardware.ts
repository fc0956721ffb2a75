/**
 * Times this project on a hardware GPU, next to PyTorch and the vendor's matrix product if `python3` has torch:
 *
 *     deno run --allow-env --allow-run --allow-read tasks/bench/hardware.ts [--size 4096] [--width 4096] [--batch 4096]
 *
 * A product SIZE x SIZE x SIZE in plain float32; steps of 784-WIDTH-WIDTH-10 with softmax cross-entropy in batches of BATCH;
 * steps of the bench's seed workload. Goals: half of the vendor's product, half of PyTorch's eager steps, 20,000 steps/s.
 */

import { parseArgs } from "@std/cli/parse-args";
import { Device } from "../../lib/gpu/device.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { type Loss, mse, softmaxCrossEntropy } from "../../lib/core/losses.ts";
import { Model } from "../../lib/core/model.ts";
import { matmul } from "../../lib/arithmetic/ops.ts";
import { Sgd } from "../../lib/core/optimizers.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { formatTable } from "../show/text_table.ts";
import { median } from "./results.ts";
import { timeRounds } from "./worker.ts";
import { uniform } from "./workloads.ts";

const SECONDS = 2;

interface Torch {
  device: string;
  version: string;
  gflops: number;
  stepsPerSecond: number;
}

async function products(device: Device, size: number): Promise<number> {
  using a = Tensor.from(device, uniform("hardware", size * size, 1), [size, size]);
  using b = Tensor.from(device, uniform("hardware", size * size, 1), [size, size]);
  using out = Tensor.zeros(device, [size, size]);
  using recording = device.record(() => void matmul(a, b, { out }));
  const corner = out.view(0, [1]);
  const perSecond = median(await timeRounds((count) => (recording.replay(count), corner.read()), SECONDS));
  return 2 * size ** 3 * perSecond / 1e9;
}

async function steps(device: Device, widths: number[], rows: number, batchSize: number, loss: Loss): Promise<number> {
  const inputs = widths[0];
  const outputs = widths.at(-1)!;
  using model = new Model(device, multilayerPerceptron(inputs, widths.slice(1, -1), outputs));
  using optimizer = new Sgd(model, 0.01);
  const targets = new Float32Array(rows * outputs);
  for (let row = 0; row < rows; row++) targets[row * outputs + row % outputs] = 1;
  using x = Tensor.from(device, uniform("hardware", rows * inputs, 1), [rows, inputs]);
  using y = Tensor.from(device, targets, [rows, outputs]);
  using trainer = new Trainer({ model, loss, optimizer, x, y, batchSize, seed: 1 });
  const epochs = (count: number) => Array.fromAsync(trainer.epochs(count));
  return trainer.stepsPerEpoch * median(await timeRounds(epochs, SECONDS));
}

async function torch(args: number[]): Promise<Torch | undefined> {
  const script = decodeURIComponent(new URL("hardware_torch.py", import.meta.url).pathname);
  const command = new Deno.Command("python3", { args: [script, ...args, SECONDS].map(String), stderr: "null" });
  const output = await command.output().catch(() => undefined);
  return output?.success ? JSON.parse(new TextDecoder().decode(output.stdout)) : undefined;
}

async function main(): Promise<void> {
  const flags = parseArgs(Deno.args, { string: ["size", "width", "batch"] });
  const [size, width, batch] = [flags.size, flags.width, flags.batch].map((text) => Number(text ?? 4096));
  if (![size, width, batch].every((value) => Number.isSafeInteger(value) && value > 0)) {
    throw new RangeError(`Cannot time size ${size}, width ${width}, batch ${batch}: need whole numbers over 0`);
  }
  using device = await Device.request();
  const own = {
    product: await products(device, size),
    deep: await steps(device, [784, width, width, 10], batch, batch, softmaxCrossEntropy),
    seed: await steps(device, [1, 64, 1], 1000, 10, mse),
  };
  const peer = await torch([size, width, batch]);
  const row = (name: string, value: number, other: number | undefined) => [
    name,
    value.toPrecision(4),
    other?.toPrecision(4) ?? "-",
    other ? (value / other).toFixed(2) : "-",
  ];
  console.log(`device: ${device.name}; ${peer ? `PyTorch ${peer.version} on ${peer.device}` : "python3 has no torch"}`);
  console.log(formatTable([
    ["", "backhand", "PyTorch", "ratio"],
    row(`product ${size}, GFLOP/s`, own.product, peer?.gflops),
    row(`784-${width}-${width}-10, batch ${batch}, steps/s`, own.deep, peer?.stepsPerSecond),
    row("1-64-1, batch 10, steps/s", own.seed, undefined),
  ]));
}

if (import.meta.main) await main();
