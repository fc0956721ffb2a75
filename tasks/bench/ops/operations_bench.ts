/**
 * The operations that change often, one by one. A run is {@linkcode REPLAYS} replays and a read of one number.
 *
 *     deno bench --no-prompt --allow-env tasks/bench/ops/operations_bench.ts
 *
 * Another load changes the times: compare a change with the commit before in turn, and by `min` rather than by the mean.
 */

import { gelu, relu, reluBackward } from "../../../lib/core/activations.ts";
import { Linear, multilayerPerceptron } from "../../../lib/core/layers.ts";
import { mse } from "../../../lib/core/losses.ts";
import { matmul } from "../../../lib/core/matmul.ts";
import { Model } from "../../../lib/core/model.ts";
import { Adam } from "../../../lib/core/optimizers.ts";
import { Tensor } from "../../../lib/core/tensor.ts";
import { Device } from "../../../lib/gpu/device.ts";
import { TableEmbedding } from "../../../lib/tabular/table_embedding.ts";
import { Trainer } from "../../../lib/training/trainer.ts";
import { uniform } from "../workloads.ts";

const REPLAYS = 10;

const device = await Device.request();

function random(...shape: number[]): Tensor {
  return Tensor.from(device, uniform("operations", shape.reduce((product, size) => product * size), 1), shape);
}

/** Times what `work` records; `result` is what it writes. */
function bench(name: string, result: Tensor, work: () => void): void {
  const recording = device.record(work);
  const first = result.view(0, [1]);
  Deno.bench(name, async () => {
    recording.replay(REPLAYS);
    await first.read();
  });
}

for (const [m, k, n] of [[512, 512, 512], [32, 24, 128], [128, 784, 512]]) {
  const a = random(m, k);
  const b = random(k, n);
  const out = Tensor.zeros(device, [m, n]);
  bench(`matmul ${m} x ${k} x ${n}`, out, () => void matmul(a, b, { out }));
}

{
  const x = random(256, 512);
  const out = Tensor.zeros(device, [256, 512]);
  bench("relu 256 x 512", out, () => void relu(x, { out }));
  bench("reluBackward 256 x 512", out, () => void reluBackward(x, x, { out }));
  bench("gelu 256 x 512", out, () => void gelu(x, { out }));
}

{
  const model = new Model(device, [new Linear(512, 512)]);
  const adam = new Adam(model, 1e-3);
  bench("Adam, 262,656 weights", model.parameters[0].parameter.value, () => adam.step());
}

{
  const columns = Array.from({ length: 10 }, () => ({ kind: "number" }) as const);
  const model = new Model(device, [new TableEmbedding({ columns, numbers: "pbld" })]);
  const x = random(256, 10);
  const out = model.forward(x);
  const dOut = random(256, 40);
  bench("TableEmbedding.forward, 256 rows of 10 numbers", out, () => void model.forward(x));
  const gradient = model.parameters[0].parameter.grad;
  bench("TableEmbedding.backward", gradient, () => void model.layers[0].backward(dOut, false));
}

for (const [name, hidden] of [["1-64-1", 64], ["1-512-1", 512]] as const) {
  const model = new Model(device, multilayerPerceptron(1, [hidden], 1));
  const optimizer = new Adam(model, 1e-3);
  const [x, y] = [random(320, 1), random(320, 1)];
  const trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 32, seed: 1 });
  Deno.bench(`an epoch of 10 steps of ${name}`, async () => void await Array.fromAsync(trainer.epochs(1)));
}
