/**
 * The WGSL kernels, one file each: the only place that imports them.
 *
 * A kernel's storage buffers are bindings 0, 1, ... in the order of `access`; where it has sizes, they are a uniform
 * struct at the next binding, whole numbers first, then reals. Sizes are not `override` constants because each set of
 * constants is a pipeline of its own: 30 to 40 ms at its first use on the software adapter, against nothing for a uniform.
 *
 * @module
 */
import adam from "./optimizers/adam.wgsl" with { type: "text" };
import adamPowers from "./optimizers/adam_powers.wgsl" with { type: "text" };
import addBias from "./ops/add_bias.wgsl" with { type: "text" };
import advance from "./recorded_step/advance.wgsl" with { type: "text" };
import append from "./recorded_step/append.wgsl" with { type: "text" };
import bceWithLogits from "./losses/bce_with_logits.wgsl" with { type: "text" };
import bceWithLogitsBackward from "./losses/bce_with_logits_backward.wgsl" with { type: "text" };
import dropout from "./ops/dropout.wgsl" with { type: "text" };
import clip from "./optimizers/clip.wgsl" with { type: "text" };
import clipFactor from "./optimizers/clip_factor.wgsl" with { type: "text" };
import elementwise from "./ops/elementwise.wgsl" with { type: "text" };
import foldStatistics from "./measure/fold_statistics.wgsl" with { type: "text" };
import gatherRows from "./recorded_step/gather_rows.wgsl" with { type: "text" };
import gatherRowsBackward from "./recorded_step/gather_rows_backward.wgsl" with { type: "text" };
import gelu from "./ops/gelu.wgsl" with { type: "text" };
import geluBackward from "./ops/gelu_backward.wgsl" with { type: "text" };
import huber from "./losses/huber.wgsl" with { type: "text" };
import huberBackward from "./losses/huber_backward.wgsl" with { type: "text" };
import leakyRelu from "./ops/leaky_relu.wgsl" with { type: "text" };
import leakyReluBackward from "./ops/leaky_relu_backward.wgsl" with { type: "text" };
import lossStep from "./fast/loss_step.wgsl" with { type: "text" };
import matmul from "./ops/matmul.wgsl" with { type: "text" };
import matmulBlocks from "./fast/matmul_blocks.wgsl" with { type: "text" };
import matmulEpilogue from "./fast/matmul_epilogue.wgsl" with { type: "text" };
import matmulTiles from "./fast/matmul_tiles.wgsl" with { type: "text" };
import momentum from "./optimizers/momentum.wgsl" with { type: "text" };
import notFinite from "./measure/not_finite.wgsl" with { type: "text" };
import pack from "./fast/pack.wgsl" with { type: "text" };
import rateOfStep from "./recorded_step/rate_of_step.wgsl" with { type: "text" };
import reduce from "./ops/reduce.wgsl" with { type: "text" };
import relu from "./ops/relu.wgsl" with { type: "text" };
import reluBackward from "./ops/relu_backward.wgsl" with { type: "text" };
import rmsprop from "./optimizers/rmsprop.wgsl" with { type: "text" };
import scale from "./ops/scale.wgsl" with { type: "text" };
import sgd from "./optimizers/sgd.wgsl" with { type: "text" };
import sigmoid from "./ops/sigmoid.wgsl" with { type: "text" };
import sigmoidBackward from "./ops/sigmoid_backward.wgsl" with { type: "text" };
import softmaxCrossEntropy from "./losses/softmax_cross_entropy.wgsl" with { type: "text" };
import softmaxCrossEntropyBackward from "./losses/softmax_cross_entropy_backward.wgsl" with { type: "text" };
import softmaxCrossEntropyStep from "./fast/softmax_cross_entropy_step.wgsl" with { type: "text" };
import spread from "./ops/spread.wgsl" with { type: "text" };
import squaredError from "./losses/squared_error.wgsl" with { type: "text" };
import squaredErrorBackward from "./losses/squared_error_backward.wgsl" with { type: "text" };
import statistics from "./measure/statistics.wgsl" with { type: "text" };
import tanh from "./ops/tanh.wgsl" with { type: "text" };
import tanhBackward from "./ops/tanh_backward.wgsl" with { type: "text" };
import squares from "./optimizers/squares.wgsl" with { type: "text" };
import wholeStep from "./fast/whole_step.wgsl" with { type: "text" };

/** How a kernel uses what it binds: a storage buffer, or a storage texture of rgba32float. */
export type Access = "read" | "read_write" | "read_texture" | "write_texture";

/** A WGSL kernel and what it binds. */
export interface Kernel {
  /** Name in labels and error messages. */
  readonly name: string;
  /** WGSL text with one entry point, `main`. */
  readonly code: string;
  /** Invocations of a workgroup, as the text says; 64 by default. A kernel that runs a single invocation may say 1 there. */
  readonly workgroup?: number;
  /** Storage buffers and textures, in the order of their bindings. */
  readonly access: readonly Access[];
  /** Names and values of its override constants, where it has any: each is a pipeline of its own. */
  readonly constants?: Readonly<Record<string, number>>;
  /** How many sizes at the start count elements, where its text has the type `Value` or `Bits`: see {@linkcode byFours}. */
  readonly counts?: number;
}

const R = "read";
const W = "read_write";
const RT = "read_texture";
const WT = "write_texture";

/** Every kernel of the library by name. */
export const kernels = {
  adam: { name: "adam", code: adam, access: [W, R, W, W, R, R], counts: 1 },
  adamPowers: { name: "adamPowers", code: adamPowers, access: [W] },
  addBias: { name: "addBias", code: addBias, access: [R, R, W] },
  advance: { name: "advance", code: advance, access: [W] },
  append: { name: "append", code: append, access: [R, W, W] },
  bceWithLogits: { name: "bceWithLogits", code: bceWithLogits, access: [R, R, W] },
  bceWithLogitsBackward: { name: "bceWithLogitsBackward", code: bceWithLogitsBackward, access: [R, R, W] },
  bceWithLogitsStep: { name: "bceWithLogitsStep", code: lossStep, access: [R, R, W, W], constants: { LOSS: 1 } },
  clip: { name: "clip", code: clip, access: [W, R], counts: 1 },
  clipFactor: { name: "clipFactor", code: clipFactor, access: [R, W] },
  add: { name: "add", code: elementwise, access: [R, R, W], constants: { OPERATION: 0 }, counts: 1 },
  subtract: { name: "subtract", code: elementwise, access: [R, R, W], constants: { OPERATION: 1 }, counts: 1 },
  multiply: { name: "multiply", code: elementwise, access: [R, R, W], constants: { OPERATION: 2 }, counts: 1 },
  divide: { name: "divide", code: elementwise, access: [R, R, W], constants: { OPERATION: 3 }, counts: 1 },
  equal: { name: "equal", code: elementwise, access: [R, R, W], constants: { OPERATION: 4 }, counts: 1 },
  dropout: { name: "dropout", code: dropout, access: [R, R, W] },
  foldStatistics: { name: "foldStatistics", code: foldStatistics, access: [R, W] },
  gatherRows: { name: "gatherRows", code: gatherRows, access: [R, R, R, W], counts: 2 },
  gatherRowsBackward: { name: "gatherRowsBackward", code: gatherRowsBackward, access: [R, R, W] },
  gelu: { name: "gelu", code: gelu, access: [R, W] },
  geluBackward: { name: "geluBackward", code: geluBackward, access: [R, R, W] },
  huber: { name: "huber", code: huber, access: [R, R, W] },
  huberBackward: { name: "huberBackward", code: huberBackward, access: [R, R, W] },
  huberStep: { name: "huberStep", code: lossStep, access: [R, R, W, W], constants: { LOSS: 2 } },
  leakyRelu: { name: "leakyRelu", code: leakyRelu, access: [R, W] },
  leakyReluBackward: { name: "leakyReluBackward", code: leakyReluBackward, access: [R, R, W] },
  matmul: { name: "matmul", code: matmul, access: [R, R, W] },
  notFinite: { name: "notFinite", code: notFinite, access: [R, W], counts: 2 },
  pack: { name: "pack", code: pack, access: [R, WT] },
  momentum: { name: "momentum", code: momentum, access: [W, R, W, R], counts: 1 },
  rateOfStep: { name: "rateOfStep", code: rateOfStep, access: [R, R, W] },
  sum: { name: "sum", code: reduce, access: [R, W], constants: { OPERATION: 0 } },
  min: { name: "min", code: reduce, access: [R, W], constants: { OPERATION: 1 } },
  max: { name: "max", code: reduce, access: [R, W], constants: { OPERATION: 2 } },
  relu: { name: "relu", code: relu, access: [R, W] },
  reluBackward: { name: "reluBackward", code: reluBackward, access: [R, R, W] },
  rmsprop: { name: "rmsprop", code: rmsprop, access: [W, R, W, R], counts: 1 },
  scale: { name: "scale", code: scale, access: [R, W] },
  sgd: { name: "sgd", code: sgd, access: [W, R, R], counts: 1 },
  sigmoid: { name: "sigmoid", code: sigmoid, access: [R, W] },
  sigmoidBackward: { name: "sigmoidBackward", code: sigmoidBackward, access: [R, R, W] },
  softmaxCrossEntropy: { name: "softmaxCrossEntropy", code: softmaxCrossEntropy, access: [R, R, W] },
  softmaxCrossEntropyBackward: {
    name: "softmaxCrossEntropyBackward",
    code: softmaxCrossEntropyBackward,
    access: [R, R, W],
  },
  softmaxCrossEntropyStep: { name: "softmaxCrossEntropyStep", code: softmaxCrossEntropyStep, access: [R, R, W, W] },
  spread: { name: "spread", code: spread, access: [R, W] },
  squaredError: { name: "squaredError", code: squaredError, access: [R, R, W] },
  squaredErrorStep: { name: "squaredErrorStep", code: lossStep, access: [R, R, W, W], constants: { LOSS: 0 } },
  squaredErrorBackward: { name: "squaredErrorBackward", code: squaredErrorBackward, access: [R, R, W] },
  statistics: { name: "statistics", code: statistics, access: [R, W], counts: 2 },
  tanh: { name: "tanh", code: tanh, access: [R, W] },
  tanhBackward: { name: "tanhBackward", code: tanhBackward, access: [R, R, W] },
  squares: { name: "squares", code: squares, access: [R, W], counts: 2 },
  wholeStep: { name: "wholeStep", code: wholeStep, access: [R, R, R, R, R, W, W, W] },
} as const satisfies Record<string, Kernel>;

/** What a fast matrix product does beside multiplying; see `matmul_epilogue.wgsl`. */
export interface ProductForm {
  /** `a` is stored [k, m]. */
  readonly transposeA: boolean;
  /** `b` is stored [n, k]. */
  readonly transposeB: boolean;
  /** Add a bias to each row. */
  readonly bias: boolean;
  /** Then apply an activation. */
  readonly activation: Activation;
  /** Then multiply by the derivative of an activation, from its output. */
  readonly derivative: Activation;
  /** Also give the column sums of `b`. */
  readonly sums: boolean;
}

/** What a kernel can apply to its result. */
export type Activation = "none" | "relu" | "sigmoid" | "tanh";

const ACTIVATION_CODES: Record<Activation, number> = { none: 0, relu: 1, sigmoid: 2, tanh: 3 };
const products = new Map<string, Kernel>();
const fours = new Map<Kernel, Kernel>();

/**
 * A kernel that takes four elements at a time, which the software adapter does in a third of the time; sizes that count
 * elements are then those of fours.
 *
 * @param kernel One with `counts`.
 * @returns The kernel; the same object each time.
 */
export function byFours(kernel: Kernel): Kernel {
  const code = kernel.code.replace("alias Value = f32;", "alias Value = vec4f;")
    .replace("alias Bits = u32;", "alias Bits = vec4u;");
  const known = fours.get(kernel) ?? { ...kernel, code };
  fours.set(kernel, known);
  return known;
}

/**
 * The blocked matrix product in one form; the same object each time, as each is a pipeline of its own.
 *
 * @param form What it does.
 * @param aligned Whether rows of the result are a multiple of four long.
 * @returns The kernel.
 */
export function matmulBlocksKernel(form: ProductForm, aligned: boolean): Kernel {
  return inForm({
    name: "matmulBlocks",
    code: matmulEpilogue + matmulBlocks,
    workgroup: 8,
    access: [RT, RT, R, RT, W, W, W],
    constants: { ...constantsOf(form), ALIGNED: Number(aligned) },
  });
}

/** The tiled matrix product in one form; see {@linkcode matmulBlocksKernel}. */
export function matmulTilesKernel(form: ProductForm): Kernel {
  return inForm({
    name: "matmulTiles",
    code: matmulEpilogue + matmulTiles,
    workgroup: 256,
    access: [R, R, R, R, W, W],
    constants: constantsOf(form),
  });
}

function constantsOf(form: ProductForm): Record<string, number> {
  return {
    TRANSPOSE_A: Number(form.transposeA),
    TRANSPOSE_B: Number(form.transposeB),
    BIAS: Number(form.bias),
    ACTIVATION: ACTIVATION_CODES[form.activation],
    DERIVATIVE: ACTIVATION_CODES[form.derivative],
    SUMS: Number(form.sums),
  };
}

function inForm(kernel: Kernel): Kernel {
  const key = JSON.stringify([kernel.name, kernel.constants]);
  const known = products.get(key) ?? kernel;
  products.set(key, known);
  return known;
}
