/**
 * A training step, one operation at a time, each with its formula, shapes and values, and the reason for its backward. The
 * library's own operations run on the GPU; their results go into new tensors, so that parameters and gradients do not
 * change.
 */

import type { Layer } from "../../lib/core/layers.ts";
import type { Loss } from "../../lib/core/losses.ts";
import { addBias, addBiasBackward, matmul } from "../../lib/core/matmul.ts";
import { layerNames, type Model } from "../../lib/core/model.ts";
import type { Shape } from "../../lib/base/shape.ts";
import { readAll, type Tensor, type TensorData } from "../../lib/core/tensor.ts";
import type { Written } from "./reasons.ts";

/** What a gradient belongs to: a parameter, by its place in the model, or the input of a layer. */
type GradientOf = { readonly parameter: number } | { readonly layer: number };

/** One operation of a step, with its result. */
export interface Op {
  readonly phase: "forward" | "loss" | "backward" | "update";
  /** The name of the result, as in the formula. */
  readonly name: string;
  readonly formula: string;
  /** The operation, loss or optimizer of the library that it is. */
  readonly of: Written;
  /** The shapes of its operands: `x [4, 2] · W1 [2, 8]`. */
  readonly shapes: string;
  readonly shape: Shape;
  readonly values: TensorData;
  readonly gradientOf?: GradientOf;
}

/** An operation whose result is still on the GPU. */
type Pending = Omit<Op, "values" | "shape"> & { readonly tensor: Tensor };

interface Formulas {
  readonly of: Written;
  readonly formula: (z: string) => string;
  readonly slope: (z: string, a: string) => string;
  /** Whether the derivative is computed from the output, not from the input. */
  readonly keepsOutput?: true;
}

const GELU_U = "√(2/π) (z + 0.044715 z³)";

const ACTIVATIONS: Readonly<Record<string, Formulas>> = {
  ReLU: { of: "relu", formula: (z) => `max(0, ${z})`, slope: (z) => `[${z} > 0]` },
  LeakyReLU: { of: "leakyRelu", formula: (z) => `max(${z}, slope ${z})`, slope: (z) => `(${z} > 0 ? 1 : slope)` },
  Tanh: { of: "tanh", formula: (z) => `tanh(${z})`, slope: (_, a) => `(1 − ${a}²)`, keepsOutput: true },
  Sigmoid: {
    of: "sigmoid",
    formula: (z) => `σ(${z}) = 1 / (1 + exp(−${z}))`,
    slope: (_, a) => `${a} ⊙ (1 − ${a})`,
    keepsOutput: true,
  },
  GELU: {
    of: "gelu",
    formula: (z) => `${z}/2 ⊙ (1 + tanh u), u = ${GELU_U.replaceAll("z", z)}`,
    slope: () => "((1 + tanh u)/2 + z/2 (1 − tanh² u) u′)",
  },
};

/** Whether the walk can show a kind of layer. */
export function canWalk(kind: unknown): boolean {
  return kind === "Linear" || typeof kind === "string" && Object.hasOwn(ACTIVATIONS, kind);
}

const LOSS_FORMULAS: Readonly<Record<string, [of: Written, loss: string, gradient: string]>> = {
  mse: ["mse", "mean (ŷ − y)²", "2 (ŷ − y) / n"],
  mae: ["mae", "mean |ŷ − y|", "sign(ŷ − y) / n"],
  huber: ["huber", "mean of e²/2 where |e| ≤ 1, else |e| − 1/2; e = ŷ − y", "clip(ŷ − y, −1, 1) / n"],
  bce: ["bceWithLogits", "mean of −y log σ(ŷ) − (1 − y) log(1 − σ(ŷ))", "(σ(ŷ) − y) / n"],
  softmax: ["softmaxCrossEntropy", "mean over rows of −Σ y log softmax(ŷ)", "(softmax(ŷ) − y) / rows"],
};

/** Forward, loss and backward of a step, one by one; all results are read in one wait. */
export async function passOps(model: Model, loss: Loss, x: Tensor, y: Tensor): Promise<Op[]> {
  const ops: Pending[] = [];
  const tensors = model.device.tidy(() => {
    const steps = forward(model, x, ops);
    const prediction = steps.at(-1)!.output;
    const [of, value, gradient] = LOSS_FORMULAS[loss.kind];
    const shown: Named[] = [["ŷ =", prediction.tensor, prediction.name]];
    const both: Named[] = [...shown, ["y", y]];
    ops.push(made("loss", of, "L", `L = ${value}`, loss.forward(prediction.tensor, y), both));
    const dOut = loss.backward(prediction.tensor, y);
    const name = `d${prediction.name}`;
    const formula = `∂L/∂${prediction.name} = ${gradient}, n = ${dOut.size}`;
    ops.push({ ...made("backward", of, name, formula, dOut, both), gradientOf: { layer: model.layers.length } });
    backward(steps, { name, tensor: dOut }, ops);
    return ops.map(({ tensor }) => tensor);
  });
  const values = await readAll(tensors);
  for (const tensor of tensors) tensor.dispose();
  return ops.map(({ tensor: { shape }, ...op }, i) => ({ ...op, shape, values: values[i] }));
}

/** How each optimizer changes a parameter `w` by its gradient `g`. */
const UPDATES: Readonly<Record<string, [of: Written, rule: string]>> = {
  sgd: ["Sgd", "w − η g"],
  momentum: ["Momentum", "w − η v, v ← 0.9 v + g"],
  nesterov: ["Nesterov", "w − η (g + 0.9 v), v ← 0.9 v + g"],
  rmsprop: ["RmsProp", "w − η g / (√v + ε), v ← 0.99 v + 0.01 g²"],
  adam: ["Adam", "w − η m̂ / (√v̂ + ε), m ← 0.9 m + 0.1 g, v ← 0.999 v + 0.001 g²"],
  adamw: ["AdamW", "w − η (m̂ / (√v̂ + ε) + 0.01 w), m ← 0.9 m + 0.1 g, v ← 0.999 v + 0.001 g²"],
};

export function updateOps(
  model: Model,
  optimizer: string,
  learningRate: number,
  values: Readonly<Record<string, Float32Array>>,
): Op[] {
  const [of, general] = UPDATES[optimizer];
  return model.parameters.map(({ name, parameter: { shape } }) => {
    const [layer, kind] = name.split(".");
    const number = subscript(layerNames(model.layers)[Number(layer)].slice(1));
    const symbol = `${kind === "weight" ? "W" : "b"}${number}`;
    const rule = general.replaceAll(/\bw\b/g, symbol).replaceAll(/\bg\b/g, `d${symbol}`);
    const formula = `${symbol} ← ${rule}; η = ${learningRate}`;
    const data = values[name] as TensorData;
    const shapes = formatNamed([[symbol, { shape }]]);
    return { phase: "update", of, name: symbol, formula, shapes, shape, values: data };
  });
}

type Named = readonly [symbol: string, tensor: { readonly shape: Shape }, name?: string];

interface Value {
  readonly name: string;
  readonly tensor: Tensor;
}

/** A layer that has run, and what its backward needs. */
interface Step {
  readonly layer: Layer;
  readonly index: number;
  readonly number: string;
  /** The place of its first parameter in the model. */
  readonly parameter: number;
  readonly input: Value;
  readonly output: Value;
}

function made(
  phase: Op["phase"],
  of: Written,
  name: string,
  formula: string,
  tensor: Tensor,
  shown: readonly Named[],
): Pending {
  return { phase, of, name, formula, shapes: formatNamed(shown), tensor };
}

function forward({ layers }: Model, x: Tensor, ops: Pending[]): Step[] {
  const names = layerNames(layers);
  const steps: Step[] = [];
  let input: Value = { name: "x", tensor: x };
  let parameter = 0;
  for (const [index, layer] of layers.entries()) {
    const name = names[index];
    const number = subscript(name.slice(1));
    const output = { name: name[0] + number, tensor: x };
    output.tensor = layer.kind === "Linear"
      ? linear(layer, number, input, ops)
      : activate(layer, output.name, input, ops);
    steps.push({ layer, index, number, parameter, input, output });
    parameter += layer.parameters.length;
    input = output;
  }
  return steps;
}

/** `p = x · W`, then `z = p + b`. */
function linear(
  { parameters: [weight, bias] }: Layer,
  number: string,
  { name, tensor }: Value,
  ops: Pending[],
): Tensor {
  const p = `p${number}`;
  const w = `W${number}`;
  const b = `b${number}`;
  const product = matmul(tensor, weight.value);
  ops.push(made("forward", "matmul", p, `${p} = ${name} · ${w}`, product, [[name, tensor], [w, weight]]));
  const z = addBias(product, bias.value);
  ops.push(made("forward", "addBias", `z${number}`, `z${number} = ${p} + ${b}`, z, [[p, product], [b, bias]]));
  return z;
}

function activate(layer: Layer, name: string, input: Value, ops: Pending[]): Tensor {
  const a = layer.forward(input.tensor);
  const { of, formula: formulaOf } = ACTIVATIONS[layer.kind];
  const formula = withSlope(layer, `${name} = ${formulaOf(input.name)}`);
  ops.push(made("forward", of, name, formula, a, [[input.name, input.tensor]]));
  return a;
}

function backward(steps: readonly Step[], dOut: Value, ops: Pending[]): void {
  const first = steps.findIndex(({ layer }) => layer.parameters.length > 0);
  let d = dOut;
  for (const step of steps.slice(first).toReversed()) {
    const next = step.layer.kind === "Linear"
      ? linearBackward(step, d, step.index > first, ops)
      : activateBackward(step, d, ops);
    if (next) d = next;
  }
}

/** `dW = xᵀ · dz`, `db = Σ dz`, and `dx = dz · Wᵀ` if there is a layer before it. */
function linearBackward(
  { layer: { parameters: [weight] }, index, number, parameter, input }: Step,
  d: Value,
  wantDX: boolean,
  ops: Pending[],
): Value | undefined {
  const w = `W${number}`;
  const b = `b${number}`;
  const { name: x, tensor } = input;
  const shown: Named = [d.name, d.tensor];
  const dW = matmul(tensor, d.tensor, { transposeA: true });
  const ofX = made("backward", "matmul", `d${w}`, `d${w} = ${x}ᵀ · ${d.name}`, dW, [[x, tensor], shown]);
  ops.push({ ...ofX, gradientOf: { parameter } });
  const ofBias = made("backward", "addBias", `d${b}`, `d${b} = Σ over rows of ${d.name}`, addBiasBackward(d.tensor), [
    shown,
  ]);
  ops.push({ ...ofBias, gradientOf: { parameter: parameter + 1 } });
  if (!wantDX) return undefined;
  const dX = { name: `d${x}`, tensor: matmul(d.tensor, weight.value, { transposeB: true }) };
  const back = made("backward", "matmul", dX.name, `${dX.name} = ${d.name} · ${w}ᵀ`, dX.tensor, [shown, [w, weight]]);
  ops.push({ ...back, gradientOf: { layer: index } });
  return dX;
}

function activateBackward({ layer, index, input, output }: Step, d: Value, ops: Pending[]): Value {
  const { of, slope, keepsOutput } = ACTIVATIONS[layer.kind];
  const used = keepsOutput ? output : input;
  const dX = { name: `d${input.name}`, tensor: layer.backward(d.tensor, true)! };
  const formula = withSlope(layer, `${dX.name} = ${d.name} ⊙ ${slope(input.name, output.name)}`);
  const op = made("backward", of, dX.name, formula, dX.tensor, [[d.name, d.tensor], [used.name, used.tensor]]);
  ops.push({ ...op, gradientOf: { layer: index } });
  return dX;
}

function withSlope({ settings }: Layer, formula: string): string {
  return formula.replace("slope", `${settings?.slope ?? "slope"}`);
}

function subscript(digits: string): string {
  return digits.replaceAll(/\d/g, (digit) => "₀₁₂₃₄₅₆₇₈₉"[Number(digit)]);
}

function formatNamed(shown: readonly Named[]): string {
  const texts = shown.map(([symbol, { shape }, name]) => `${symbol}${name ? ` ${name}` : ""} [${shape.join(", ")}]`);
  return texts.join(" · ");
}
