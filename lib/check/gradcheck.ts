/**
 * Gradient checks. Two questions for every gradient: does the backward written by hand, in float64, agree with central
 * finite differences of the forward; and does the GPU agree with that float64 backward.
 *
 * Tolerances: finite differences with eps 1e-6 to atol 1e-5 and rtol 1e-3, as PyTorch's gradcheck; float32 gradients to a
 * relative 2e-3, as JAX's check_grads, of the entry or of a thousandth of the tensor's largest entry.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import { Dropout } from "../core/layers.ts";
import type { Loss } from "../core/losses.ts";
import { Model } from "../core/model.ts";
import { Random } from "../base/random.ts";
import { Matrix, ReferenceDropout, type ReferenceModel } from "../reference/mod.ts";
import { Tensor } from "../core/tensor.ts";
import { blame, type WrongSide } from "./gradient_blame.ts";
import { type GradientCase, ROWS } from "./gradient_cases.ts";
import { drawRows } from "./tabular_cases.ts";
import type { EmbeddedColumn } from "../tabular/table_embedding.ts";

export { type GradientCase, gradientCases } from "./gradient_cases.ts";

const EPSILON = 1e-6;
const ABSOLUTE = 1e-5;
const RELATIVE = 1e-3;
const GPU_RELATIVE = 2e-3;
/** Entries of a tensor that finite differences try at most: each costs two forward passes. */
const MAX_ENTRIES = 128;
/** How far inputs must stay from a kink, where there is no derivative and float32 may fall on the other side. */
const KINK_DISTANCE = 1e-4;

/** One checked gradient. */
export interface GradientCheck {
  /** Which: a parameter's name such as `0.weight`, or `input`. */
  readonly name: string;
  /** How many entries finite differences tried. */
  readonly entries: number;
  /** Largest difference between the float64 backward and finite differences. */
  readonly finiteDifference: number;
  /** Largest difference between GPU and float64 backward, relative to the tensor's largest entry. */
  readonly gpu: number;
  /** True where every entry is within the tolerances. */
  readonly ok: boolean;
  /**
   * Of a wrong gradient, where it was computed: nudging agrees with the GPU but not with float64, with float64 but not with the
   * GPU, or with neither.
   */
  readonly wrongSide?: WrongSide;
  /** Of a wrong gradient, what explains it, where the numbers show that: the sign, a factor, transposed and so on. */
  readonly cause?: string;
}

/**
 * Checks every gradient of a network on random rows.
 *
 * @param device Where the GPU's side runs.
 * @param given The network.
 * @param seed Fixes weights, rows and the entries tried.
 * @returns A line for each parameter and one for the input.
 * @throws {RangeError} If no rows were found that keep clear of every kink.
 *
 * @example
 * ```ts
 * import { checkGradients, Device, Linear, mse, ReLU } from "@backhand/backhand";
 * import { assert } from "@std/assert";
 * using device = await Device.request();
 * const layers = [new Linear(2, 5), new ReLU(), new Linear(5, 1)];
 * const checks = await checkGradients(device, { name: "my network", layers, loss: mse, inputs: 2 }, 42);
 * assert(checks.every(({ ok }) => ok));
 * ```
 */
export async function checkGradients(device: Device, given: GradientCase, seed: number): Promise<GradientCheck[]> {
  const { layers, loss, inputs } = given;
  const columns = given.columns ?? Array.from({ length: inputs }, () => ({ kind: "number" as const }));
  const random = new Random(seed, `gradcheck ${given.name}`);
  using model = new Model(device, layers, { random });
  // Biases of 0 would hide an error in what they add.
  model.parameters.forEach(({ parameter: { shape, value } }) => {
    if (shape.length === 1) value.write(Float32Array.from({ length: shape[0] }, () => random.uniform(-0.5, 0.5)));
  });
  const twin = await model.reference(loss.reference);
  for (const layer of twin.layers) if (layer instanceof ReferenceDropout) layer.step = 1;
  const { x, target } = drawClear(twin, loss, columns, ROWS * model.members, random);
  const { dX } = twin.backward(x, target);
  const inOnePass: Loss["backward"] = (prediction, target) => loss.forwardBackward(prediction, target).dPrediction;
  const gpu = [
    await gpuGradients(model, x, target, loss.backward),
    await gpuGradients(model, x, target, inOnePass),
    await gpuGradients(model, x, target, inOnePass, true),
  ];
  const layerInputs = inputsOf(twin, x);
  const owners = twin.layers.flatMap((layer, l) => layer.parameters.map(() => l));
  const named = model.parameters.map(({ name }, i) => ({
    name,
    values: twin.parameters[i],
    gradient: twin.gradients[i],
    layer: owners[i],
  }));
  named.push({ name: "input", values: x, gradient: dX, layer: 0 });
  const shapes = [...model.parameters.map(({ parameter: { shape } }) => shape), [x.rows, x.columns]];
  return named.map(({ name, values, gradient, layer }, i) => {
    const isSmooth = (entry: number) => values !== x || columns[entry % inputs].kind === "number";
    const entries = pickEntries(values.data.length, random).filter(isSmooth);
    // Layers before the one that an entry belongs to do not depend on it.
    const after = twin.layers.slice(layer);
    const computeLoss = () => {
      const prediction = after.reduce((value, next) => next.forward(value), layerInputs[layer]);
      return twin.loss.forward(prediction, target);
    };
    const slopes = entries.map((entry) => differentiate(computeLoss, values, entry));
    let oracleOk = true;
    let worst = 0;
    entries.forEach((entry, i) => {
      const difference = Math.abs(gradient.data[entry] - slopes[i]);
      worst = Math.max(worst, difference);
      oracleOk &&= difference <= ABSOLUTE + RELATIVE * Math.abs(slopes[i]);
    });
    const largest = gradient.data.reduce((most, g) => Math.max(most, Math.abs(g)), 0);
    const found = gpu.flatMap((gradients) => gradients[i] ? [gradients[i]] : []); // in training nobody asks for the input's
    const isNear = (a: number, b: number) => {
      return Math.abs(a - b) <= GPU_RELATIVE * Math.max(Math.abs(b), largest / 1_000) + ABSOLUTE;
    };
    let gpuWorst = 0;
    let gpuOk = true;
    let furthest = found[0];
    gradient.data.forEach((g, entry) => {
      for (const run of found) {
        const difference = Math.abs(run[entry] - g);
        if (!(difference / (largest || 1) <= gpuWorst)) {
          gpuWorst = difference / (largest || 1);
          furthest = run;
        }
        gpuOk &&= difference <= GPU_RELATIVE * Math.max(Math.abs(g), largest / 1_000);
      }
    });
    const check = { name, entries: entries.length, finiteDifference: worst, gpu: gpuWorst, ok: oracleOk && gpuOk };
    if (check.ok) return check;
    const shape = shapes[i];
    return { ...check, ...blame({ shape, oracle: gradient.data, gpu: furthest, entries, slopes, isNear, oracleOk }) };
  });
}

/** Rows whose way through the network keeps clear of every kink. */
function drawClear(
  twin: ReferenceModel,
  loss: Loss,
  columns: readonly EmbeddedColumn[],
  rows: number,
  random: Random,
): { x: Matrix; target: Matrix } {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    // Rounded to float32, so that both sides see the same numbers.
    const x = drawRows(columns, rows, random);
    const prediction = twin.forward(x);
    const target = drawTarget(loss.kind, rows, prediction.columns, random);
    const clear = twin.layers.every(({ distanceToKink = Infinity }) => distanceToKink > KINK_DISTANCE);
    const { distanceToKink = () => Infinity } = loss.reference;
    if (clear && distanceToKink(prediction, target) > KINK_DISTANCE) return { x, target };
  }
  throw new RangeError("Cannot check gradients: every draw came too close to a kink; try smaller hidden layers");
}

/** Targets such as the loss takes. Under softmax the rows are in turn soft, one-hot, and of another sum than 1. */
function drawTarget(kind: string, rows: number, columns: number, random: Random): Matrix {
  const draw = ["bce", "softmax"].includes(kind) ? () => random.uniform() : () => random.normal();
  const target = new Matrix(rows, columns).map(() => Math.fround(draw()));
  if (kind !== "softmax") return target;
  for (let row = 0; row < rows; row++) {
    const values = target.data.subarray(row * columns, (row + 1) * columns);
    const sum = values.reduce((a, b) => a + b);
    const hot = Math.floor(random.uniform() * columns);
    if (row % 3 === 0) values.forEach((value, i) => values[i] = Math.fround(value / sum));
    if (row % 3 === 1) values.forEach((_, i) => values[i] = i === hot ? 1 : 0);
  }
  return target;
}

/**
 * The gradients on the GPU, with that of the loss from its backward or from its fused pass; the last is the input's, unless
 * the step is recorded and its dispatches fused, as training does it.
 */
async function gpuGradients(
  model: Model,
  x: Matrix,
  target: Matrix,
  lossBackward: Loss["backward"],
  asInTraining = false,
): Promise<ArrayLike<number>[]> {
  const { device } = model;
  using input = Tensor.from(device, Float32Array.from(x.data), [x.rows, x.columns]);
  using wanted = Tensor.from(device, Float32Array.from(target.data), [target.rows, target.columns]);
  for (const layer of model.layers) if (layer instanceof Dropout) layer.seek(0); // one mask for both sides
  model.gradients.write(new Float32Array(model.gradients.size).fill(NaN)); // a pass before left the right ones
  const step = (wantDX: boolean) => {
    const prediction = model.forward(input, { training: true });
    return model.backward(lossBackward(prediction, wanted), { wantDX });
  };
  if (asInTraining) {
    using recording = device.record(() => void step(false), { fuse: true });
    recording.replay();
    return Object.values(await model.readGradients());
  }
  using dX = device.tidy(() => step(true)!);
  const gradients = await model.readGradients();
  return [...Object.values(gradients), await dX.read()];
}

/** What comes into each layer; a network without layers gives its loss the rows. */
function inputsOf(twin: ReferenceModel, x: Matrix): Matrix[] {
  const inputs = [x];
  for (const layer of twin.layers) inputs.push(layer.forward(inputs.at(-1)!));
  return inputs;
}

/** `(loss(v + eps) - loss(v - eps)) / (2 eps)` for one entry v of a matrix that the loss depends on. */
function differentiate(computeLoss: () => number, values: Matrix, entry: number): number {
  const before = values.data[entry];
  const lossAt = (value: number): number => {
    values.data[entry] = value;
    return computeLoss();
  };
  const difference = lossAt(before + EPSILON) - lossAt(before - EPSILON);
  values.data[entry] = before;
  return difference / (2 * EPSILON);
}

function pickEntries(count: number, random: Random): number[] {
  return [...random.permutation(count).subarray(0, MAX_ENTRIES)];
}
