/**
 * The WGSL kernels, a text file each, by family: the only place that imports them.
 *
 * A kernel's storage buffers are bindings 0, 1, ... in the order of `access`; where it has sizes, they are a uniform
 * struct at the next binding, whole numbers first, then reals. Sizes are not `override` constants because each set of
 * constants is a pipeline of its own: 30 to 40 ms at its first use on the software adapter, against nothing for a uniform.
 *
 * @module
 */
import addBias from "./ops/add_bias.wgsl" with { type: "text" };
import dropout from "./ops/dropout.wgsl" with { type: "text" };
import dropoutMask from "./ops/dropout_mask.wgsl" with { type: "text" };
import elementwise from "./ops/elementwise.wgsl" with { type: "text" };
import elementFunction from "./ops/function.wgsl" with { type: "text" };
import matmul from "./ops/matmul.wgsl" with { type: "text" };
import oneHot from "./ops/one_hot.wgsl" with { type: "text" };
import reduce from "./ops/reduce.wgsl" with { type: "text" };
import scale from "./ops/scale.wgsl" with { type: "text" };
import slice from "./ops/slice.wgsl" with { type: "text" };
import spread from "./ops/spread.wgsl" with { type: "text" };
import transpose from "./ops/transpose.wgsl" with { type: "text" };

import backward from "./activations/backward.wgsl" with { type: "text" };
import forward from "./activations/forward.wgsl" with { type: "text" };
import gelu from "./activations/gelu.wgsl" with { type: "text" };
import leakyRelu from "./activations/leaky_relu.wgsl" with { type: "text" };
import relu from "./activations/relu.wgsl" with { type: "text" };
import sigmoid from "./activations/sigmoid.wgsl" with { type: "text" };
import tanh from "./activations/tanh.wgsl" with { type: "text" };

import bceWithLogits from "./losses/bce_with_logits.wgsl" with { type: "text" };
import bceWithLogitsBackward from "./losses/bce_with_logits_backward.wgsl" with { type: "text" };
import huber from "./losses/huber.wgsl" with { type: "text" };
import huberBackward from "./losses/huber_backward.wgsl" with { type: "text" };
import softmaxCrossEntropy from "./losses/softmax_cross_entropy.wgsl" with { type: "text" };
import softmaxCrossEntropyBackward from "./losses/softmax_cross_entropy_backward.wgsl" with { type: "text" };
import squaredError from "./losses/squared_error.wgsl" with { type: "text" };
import squaredErrorBackward from "./losses/squared_error_backward.wgsl" with { type: "text" };

import adam from "./optimizers/adam.wgsl" with { type: "text" };
import adamPowers from "./optimizers/adam_powers.wgsl" with { type: "text" };
import clip from "./optimizers/clip.wgsl" with { type: "text" };
import clipFactor from "./optimizers/clip_factor.wgsl" with { type: "text" };
import momentum from "./optimizers/momentum.wgsl" with { type: "text" };
import rmsprop from "./optimizers/rmsprop.wgsl" with { type: "text" };
import sgd from "./optimizers/sgd.wgsl" with { type: "text" };
import squares from "./optimizers/squares.wgsl" with { type: "text" };

import advance from "./recorded_step/advance.wgsl" with { type: "text" };
import append from "./recorded_step/append.wgsl" with { type: "text" };
import gatherRows from "./recorded_step/gather_rows.wgsl" with { type: "text" };
import gatherRowsBackward from "./recorded_step/gather_rows_backward.wgsl" with { type: "text" };
import rateOfStep from "./recorded_step/rate_of_step.wgsl" with { type: "text" };

import addLosses from "./judge/add_losses.wgsl" with { type: "text" };
import goBack from "./judge/go_back.wgsl" with { type: "text" };
import judgeEpoch from "./judge/judge_epoch.wgsl" with { type: "text" };
import keepBest from "./judge/keep_best.wgsl" with { type: "text" };

import notFinite from "./measure/not_finite.wgsl" with { type: "text" };
import statistics from "./measure/statistics.wgsl" with { type: "text" };

import bins from "./tabular/bins.wgsl" with { type: "text" };
import binsBackward from "./tabular/bins_backward.wgsl" with { type: "text" };
import columnDropout from "./tabular/column_dropout.wgsl" with { type: "text" };
import names from "./tabular/names.wgsl" with { type: "text" };
import namesBackward from "./tabular/names_backward.wgsl" with { type: "text" };
import wave from "./tabular/wave.wgsl" with { type: "text" };
import waves from "./tabular/waves.wgsl" with { type: "text" };
import wavesBackward from "./tabular/waves_backward.wgsl" with { type: "text" };
import wavesInputBackward from "./tabular/waves_input_backward.wgsl" with { type: "text" };

import lossStep from "./fast/loss_step.wgsl" with { type: "text" };
import matmulBlocks from "./fast/matmul_blocks.wgsl" with { type: "text" };
import matmulEpilogue from "./fast/matmul_epilogue.wgsl" with { type: "text" };
import matmulTiles from "./fast/matmul_tiles.wgsl" with { type: "text" };
import pack from "./fast/pack.wgsl" with { type: "text" };
import softmaxCrossEntropyStep from "./fast/softmax_cross_entropy_step.wgsl" with { type: "text" };
import wholeStep from "./fast/whole_step.wgsl" with { type: "text" };
import wholeStepTexels from "./fast/whole_step_texels.wgsl" with { type: "text" };
import wholeStepWorkgroup from "./fast/whole_step_workgroup.wgsl" with { type: "text" };

/**
 * How a kernel uses what it binds: a storage buffer, a storage texture of rgba32float, or as the last the device's own texture
 * of r32float, in which kernels keep numbers as long as they run: no dispatch names that one.
 */
export type Access = "read" | "read_write" | "read_texture" | "write_texture" | "memory_texture";

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
  /** How many sizes at the start count elements, where its text has the type `Value` or `Bits`: see `byFours` of lib. */
  readonly counts?: number;
}

const R = "read";
const W = "read_write";
const RT = "read_texture";
const WT = "write_texture";

/** The types that the text of an activation is written in, for one number and for four at a time. */
const ONE = "alias Value = f32;\nalias Bits = u32;\n";
const FOUR = "alias Value = vec4f;\nalias Bits = vec4u;\n";

/** What a kernel has in the table below, which gives it its name. */
type Unnamed = Omit<Kernel, "name">;

/** An activation's kernel: its own text, and the one that takes it over all elements. */
const forwardOf = (name: string, code: string): Unnamed => ({
  code: `${ONE}${code}\nfn activate(x: f32) -> f32 {\n  return ${name}Forward(x);\n}\n${forward}`,
  access: [R, W],
});
const backwardOf = (name: string, code: string): Unnamed => ({
  code:
    `${ONE}${code}\nfn activateBackward(kept: f32, dOut: f32) -> f32 {\n  return ${name}Backward(kept, dOut);\n}\n${backward}`,
  access: [R, R, W],
});

const WHOLE_STEP_ACCESS = [R, R, R, R, R, W, W, W] as const;

/** Every kernel of the library by name. */
export const kernels = named({
  // ops
  add: { code: elementwise, access: [R, R, W], constants: { OPERATION: 0 }, counts: 1 },
  subtract: { code: elementwise, access: [R, R, W], constants: { OPERATION: 1 }, counts: 1 },
  multiply: { code: elementwise, access: [R, R, W], constants: { OPERATION: 2 }, counts: 1 },
  divide: { code: elementwise, access: [R, R, W], constants: { OPERATION: 3 }, counts: 1 },
  equal: { code: elementwise, access: [R, R, W], constants: { OPERATION: 4 }, counts: 1 },
  greater: { code: elementwise, access: [R, R, W], constants: { OPERATION: 5 }, counts: 1 },
  exp: { code: elementFunction, access: [R, W], constants: { OPERATION: 0 }, counts: 1 },
  log: { code: elementFunction, access: [R, W], constants: { OPERATION: 1 }, counts: 1 },
  sqrt: { code: elementFunction, access: [R, W], constants: { OPERATION: 2 }, counts: 1 },
  square: { code: elementFunction, access: [R, W], constants: { OPERATION: 3 }, counts: 1 },
  scale: { code: scale, access: [R, W] },
  slice: { code: slice, access: [R, W] },
  matmul: { code: matmul, access: [R, R, W] },
  addBias: { code: addBias, access: [R, R, W] },
  sum: { code: reduce, access: [R, W], constants: { OPERATION: 0 } },
  min: { code: reduce, access: [R, W], constants: { OPERATION: 1 } },
  max: { code: reduce, access: [R, W], constants: { OPERATION: 2 } },
  spread: { code: spread, access: [R, W] },
  transpose: { code: transpose, access: [R, W] },
  oneHot: { code: oneHot, access: [R, W] },
  dropout: { code: `${ONE}${dropoutMask}\n${dropout}`, access: [R, R, W] },

  // activations
  relu: forwardOf("relu", relu),
  reluBackward: backwardOf("relu", relu),
  leakyRelu: forwardOf("leakyRelu", leakyRelu),
  leakyReluBackward: backwardOf("leakyRelu", leakyRelu),
  sigmoid: forwardOf("sigmoid", sigmoid),
  sigmoidBackward: backwardOf("sigmoid", sigmoid),
  tanh: forwardOf("tanh", tanh),
  tanhBackward: backwardOf("tanh", tanh),
  gelu: forwardOf("gelu", gelu),
  geluBackward: backwardOf("gelu", gelu),

  // losses
  squaredError: { code: squaredError, access: [R, R, W] },
  squaredErrorBackward: { code: squaredErrorBackward, access: [R, R, W] },
  huber: { code: huber, access: [R, R, W] },
  huberBackward: { code: huberBackward, access: [R, R, W] },
  bceWithLogits: { code: bceWithLogits, access: [R, R, W] },
  bceWithLogitsBackward: { code: bceWithLogitsBackward, access: [R, R, W] },
  softmaxCrossEntropy: { code: softmaxCrossEntropy, access: [R, R, W] },
  softmaxCrossEntropyBackward: { code: softmaxCrossEntropyBackward, access: [R, R, W] },

  // optimizers
  sgd: { code: sgd, access: [W, R, R], constants: { RATE_IN_SIZES: 0 }, counts: 1 },
  sgdStep: { code: sgd, access: [W, R, R], constants: { RATE_IN_SIZES: 1 }, counts: 1 },
  momentum: { code: momentum, access: [W, R, W, R], counts: 1 },
  rmsprop: { code: rmsprop, access: [W, R, W, R], counts: 1 },
  adam: { code: adam, access: [W, R, W, W, R, R], counts: 1 },
  adamPowers: { code: adamPowers, access: [W] },
  squares: { code: squares, access: [R, W], counts: 2 },
  clipFactor: { code: clipFactor, access: [R, W] },
  clip: { code: clip, access: [W, R], counts: 1 },

  // recorded_step
  gatherRows: { code: gatherRows, access: [R, R, R, W], counts: 2 },
  gatherRowsBackward: { code: gatherRowsBackward, access: [R, R, W] },
  append: { code: append, access: [R, W, W] },
  advance: { code: advance, access: [W] },
  rateOfStep: { code: rateOfStep, access: [R, R, R, W] },

  // judge
  addLosses: { code: addLosses, access: [R, R, W] },
  judgeEpoch: { code: judgeEpoch, access: [W, W, W, W] },
  keepBest: { code: keepBest, access: [R, R, R, W] },
  goBack: { code: goBack, access: [R, R, W] },

  // tabular
  waves: { code: `${wave}\n${waves}`, workgroup: 8, access: [R, R, R, R, W] },
  wavesBackward: { code: `${wave}\n${wavesBackward}`, workgroup: 8, access: [R, R, R, R, R, W, W] },
  wavesInputBackward: { code: `${wave}\n${wavesInputBackward}`, access: [R, R, R, R, R, W] },
  columnDropout: { code: `${ONE}${dropoutMask}\n${columnDropout}`, access: [R, R, R, W] },
  bins: { code: bins, access: [R, R, R, W] },
  binsBackward: { code: binsBackward, access: [R, R, R, R, W] },
  names: { code: names, workgroup: 8, access: [R, R, R, R, W] },
  namesBackward: { code: namesBackward, access: [R, R, R, R, W, W] },

  // measure
  statistics: { code: statistics, access: [R, W], counts: 2 },
  notFinite: { code: notFinite, access: [R, W], counts: 2 },

  // fast
  squaredErrorStep: { code: lossStep, access: [R, R, W, W], constants: { LOSS: 0 } },
  bceWithLogitsStep: { code: lossStep, access: [R, R, W, W], constants: { LOSS: 1 } },
  huberStep: { code: lossStep, access: [R, R, W, W], constants: { LOSS: 2 } },
  softmaxCrossEntropyStep: { code: softmaxCrossEntropyStep, access: [R, R, W, W] },
  wholeStep: { code: FOUR + relu + sigmoid + wholeStepWorkgroup + wholeStep, access: WHOLE_STEP_ACCESS },
  pack: { code: pack, access: [R, WT] },
});

/** Gives each kernel its key as name. */
function named<Name extends string>(given: Record<Name, Unnamed>): Readonly<Record<Name, Kernel>> {
  const entries = Object.entries<Unnamed>(given);
  return Object.fromEntries(entries.map(([name, kernel]) => [name, { name, ...kernel }])) as Record<Name, Kernel>;
}

/** A whole step that keeps its numbers in a texture, which a software adapter reads faster than a buffer. */
export const wholeStepOfTexels: Kernel = {
  name: kernels.wholeStep.name,
  code: FOUR + relu + sigmoid + wholeStepTexels + wholeStep,
  access: [...WHOLE_STEP_ACCESS, "memory_texture"],
};

/** What stands before the text of a fast product. */
const PRODUCT_PRELUDE = FOUR + relu + sigmoid + tanh + dropoutMask + matmulEpilogue;

/** Fast matrix products, whose constants lib/gpu/product_forms.ts sets. */
export const products = named({
  matmulBlocks: { code: PRODUCT_PRELUDE + matmulBlocks, workgroup: 8, access: [RT, RT, R, RT, W, W, W, R, WT] },
  matmulTiles: { code: PRODUCT_PRELUDE + matmulTiles, workgroup: 256, access: [R, R, R, R, W, W, R] },
});
