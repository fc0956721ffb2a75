/**
 * jax-js as a worker of the bench, one jitted step with the backward pass written out by hand:
 *
 *     deno run --allow-env tasks/bench/jaxjs.ts webgpu training 0.5 seed 100
 *     deno run --allow-env tasks/bench/jaxjs.ts wasm products 0.5 256 1000x333x77
 */
// deno-lint-ignore-file no-import-prefix -- named in deno.json or deno.lock, every task would download it

import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np } from "npm:@jax-js/jax@~0.1.25";
import { requestAdapter } from "../../lib/gpu/adapter.ts";
import type { Factors, Size } from "./products.ts";
import { type Multiplied, type Trained, work } from "./worker.ts";
import { batchesOf, initialParameters, LEARNING_RATE, type Workload } from "./workloads.ts";

/** How many products are held at a time: one that is disposed of before it is ready is never computed. */
const HELD_PRODUCTS = 32;

function matrix(values: Float32Array<ArrayBuffer>, shape: number[]): np.Array {
  return np.array(values).reshape(shape);
}

/** One step: forward, backward, update. Every use of an array but its last goes through `ref`. */
function makeStep({ widths, batch, loss }: Workload) {
  const count = widths.length - 1;
  return jit((parameters: np.Array[], x: np.Array, y: np.Array): np.Array[] => {
    const inputs: np.Array[] = [];
    const preactivations: np.Array[] = [];
    let a = x;
    for (let l = 0; l < count; l++) {
      inputs.push(a.ref);
      const z = np.matmul(a, parameters[2 * l].ref).add(parameters[2 * l + 1].ref);
      preactivations.push(z.ref);
      a = l < count - 1 ? nn.relu(z) : z;
    }
    let d = loss === "mse" ? a.sub(y).mul(2 / batch) : nn.softmax(a).sub(y).mul(1 / batch);
    const updated: np.Array[] = [];
    for (let l = count - 1; l >= 0; l--) {
      const dWeight = np.matmul(inputs[l].transpose(), d.ref);
      const dBias = d.ref.sum(0);
      if (l > 0) {
        const mask = np.where(np.greater(preactivations[l - 1], 0), 1, 0);
        d = np.matmul(d, parameters[2 * l].ref.transpose()).mul(mask);
      } else d.dispose();
      updated[2 * l] = parameters[2 * l].sub(dWeight.mul(LEARNING_RATE));
      updated[2 * l + 1] = parameters[2 * l + 1].sub(dBias.mul(LEARNING_RATE));
    }
    preactivations.at(-1)!.dispose();
    return updated;
  });
}

function train(workload: Workload): Trained {
  const { widths, batch } = workload;
  let parameters = initialParameters(workload).flatMap(({ weight, bias }, l) => [
    matrix(weight as Float32Array<ArrayBuffer>, [widths[l], widths[l + 1]]),
    matrix(bias as Float32Array<ArrayBuffer>, [widths[l + 1]]),
  ]);
  const data = batchesOf(workload).map(({ x, y }) => ({
    x: matrix(x, [batch, widths[0]]),
    y: matrix(y, [batch, widths.at(-1)!]),
  }));
  const step = makeStep(workload);
  let next = 0;
  const steps = async (count: number) => {
    for (let done = 0; done < count; done++, next = (next + 1) % data.length) {
      parameters = step(parameters, data[next].x.ref, data[next].y.ref);
    }
    await parameters[0].ref.data();
  };
  return { granule: 1, steps, parameters: () => Promise.all(parameters.map((parameter) => parameter.ref.data())) };
}

function multiply([m, k, n]: Size, { a, b }: Factors): Multiplied {
  const left = matrix(a, [m, k]);
  const right = matrix(b, [k, n]);
  const multiplied = jit((a: np.Array, b: np.Array) => np.matmul(a, b));
  const products = async (count: number) => {
    for (let rest = count; rest > 0; rest -= HELD_PRODUCTS) {
      const held = Array.from({ length: Math.min(rest, HELD_PRODUCTS) }, () => multiplied(left.ref, right.ref));
      await blockUntilReady(held);
      for (const product of held) product.dispose();
    }
  };
  return { products, product: async () => await multiplied(left.ref, right.ref).data() };
}

const [text, ...args] = Deno.args;
const backend = text as "webgpu" | "wasm";
if (backend === "webgpu") await requestAdapter({}); // sets what every worker sets for the driver
if (!(await init(backend)).includes(backend)) throw new Error(`jax-js has no backend ${backend} here`);
defaultDevice(backend);
await work({ name: "jaxjs", backend }, args, { train, multiply });
Deno.exit(); // the threads of the wasm backend would keep the process alive
