/**
 * TensorFlow.js as a worker of the bench, the backward pass written out by hand:
 *
 *     deno run --allow-read --allow-env tasks/bench/tfjs.ts webgpu training 0.5 seed 100
 *     deno run --allow-read --allow-env tasks/bench/tfjs.ts wasm products 0.5 256 1000x333x77
 */
// deno-lint-ignore-file no-import-prefix -- named in deno.json or deno.lock, every task would download it

import * as tf from "npm:@tensorflow/tfjs-core@^4.22.0";
import "npm:@tensorflow/tfjs-backend-cpu@^4.22.0";
import { setWasmPaths } from "npm:@tensorflow/tfjs-backend-wasm@^4.22.0";
import "npm:@tensorflow/tfjs-backend-webgpu@^4.22.0";
import { requestAdapter } from "../../lib/gpu/adapter.ts";
import type { Factors, Size } from "./products.ts";
import type { Implementation } from "./results.ts";
import { type Multiplied, type Trained, work } from "./worker.ts";
import { batchesOf, initialParameters, LEARNING_RATE, type Workload } from "./workloads.ts";

interface Layer {
  weight: tf.Variable<tf.Rank.R2>;
  bias: tf.Variable<tf.Rank.R1>;
}

/** One step: forward, backward, update. */
function step({ loss, batch }: Workload, layers: readonly Layer[], x: tf.Tensor2D, y: tf.Tensor2D): void {
  const inputs: tf.Tensor2D[] = [];
  const preactivations: tf.Tensor2D[] = [];
  let a = x;
  layers.forEach(({ weight, bias }, l) => {
    inputs.push(a);
    const z = tf.add<tf.Tensor2D>(tf.matMul(a, weight), bias);
    preactivations.push(z);
    a = l < layers.length - 1 ? tf.relu(z) : z;
  });
  let d = loss === "mse"
    ? tf.mul<tf.Tensor2D>(tf.sub(a, y), 2 / batch)
    : tf.mul<tf.Tensor2D>(tf.sub(tf.softmax(a), y), 1 / batch);
  for (let l = layers.length - 1; l >= 0; l--) {
    const { weight, bias } = layers[l];
    const dWeight = tf.matMul(inputs[l], d, true, false);
    const dBias = tf.sum<tf.Tensor1D>(d, 0);
    if (l > 0) d = tf.mul<tf.Tensor2D>(tf.matMul(d, weight, false, true), tf.step(preactivations[l - 1]));
    weight.assign(tf.sub(weight, tf.mul(dWeight, LEARNING_RATE)));
    bias.assign(tf.sub(bias, tf.mul(dBias, LEARNING_RATE)));
  }
}

function train(workload: Workload): Trained {
  const { widths, batch } = workload;
  const layers = initialParameters(workload).map(({ weight, bias }, l): Layer => ({
    weight: tf.variable(tf.tensor2d(weight, [widths[l], widths[l + 1]])),
    bias: tf.variable(tf.tensor1d(bias)),
  }));
  const data = batchesOf(workload).map(({ x, y }) => ({
    x: tf.tensor2d(x, [batch, widths[0]]),
    y: tf.tensor2d(y, [batch, widths.at(-1)!]),
  }));
  let next = 0;
  const steps = async (count: number) => {
    for (let done = 0; done < count; done++, next = (next + 1) % data.length) {
      tf.tidy(() => step(workload, layers, data[next].x, data[next].y));
    }
    await layers[0].weight.data();
  };
  const parameters = () => Promise.all(layers.flatMap(({ weight, bias }) => [weight.data(), bias.data()]));
  return { granule: 1, steps, parameters };
}

function multiply([m, k, n]: Size, { a, b }: Factors): Multiplied {
  const left = tf.tensor2d(a, [m, k]);
  const right = tf.tensor2d(b, [k, n]);
  const products = async (count: number) => {
    for (let done = 1; done < count; done++) tf.matMul(left, right).dispose();
    const last = tf.matMul(left, right);
    const values = await last.data();
    last.dispose();
    return values;
  };
  return { products, product: () => products(1) };
}

const [text, ...args] = Deno.args;
const backend = text as Implementation["backend"];
if (backend === "webgpu") await requestAdapter({}); // sets what every worker sets for the driver
if (backend === "wasm") {
  const entry = new URL(import.meta.resolve("npm:@tensorflow/tfjs-backend-wasm@^4.22.0"));
  setWasmPaths(decodeURIComponent(entry.pathname.replace(/[^/]*$/, "")));
}
// If a backend cannot start, TensorFlow.js would take the next one.
if (!await tf.setBackend(backend)) throw new Error(`TensorFlow.js has no backend ${backend} here`);
await work({ name: "tfjs", backend }, args, { train, multiply });
