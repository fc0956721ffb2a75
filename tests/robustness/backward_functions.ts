/** The backward passes that are mutated, and the mutants that compute the same as the original. */

/** Kernels: each file's functions that run backward. Forward passes are beside the point. */
export const KERNELS: Readonly<Record<string, readonly string[]>> = {
  "kernels/losses/bce_with_logits_backward.wgsl": ["main"],
  "kernels/recorded_step/gather_rows_backward.wgsl": ["main"],
  "kernels/ops/gelu_backward.wgsl": ["main"],
  "kernels/losses/huber_backward.wgsl": ["main"],
  "kernels/ops/leaky_relu_backward.wgsl": ["main"],
  "kernels/ops/relu_backward.wgsl": ["main"],
  "kernels/ops/sigmoid_backward.wgsl": ["main"],
  "kernels/losses/softmax_cross_entropy_backward.wgsl": ["main"],
  "kernels/losses/squared_error_backward.wgsl": ["main"],
  "kernels/ops/tanh_backward.wgsl": ["main"],
  // The backward of dropout, of sums and products: the kernel of the forward serves again.
  "kernels/ops/dropout.wgsl": ["mix", "main"],
  "kernels/ops/elementwise.wgsl": ["main"],
  "kernels/ops/matmul.wgsl": ["main"],
  "kernels/ops/reduce.wgsl": ["isNan", "fold", "main"],
  "kernels/ops/scale.wgsl": ["main"],
  "kernels/ops/spread.wgsl": ["main"],
  // Forward and backward in one.
  "kernels/fast/loss_step.wgsl": ["main"],
  "kernels/fast/softmax_cross_entropy_step.wgsl": ["stepRow", "main"],
  "kernels/fast/matmul_epilogue.wgsl": ["isNegative", "activateBackward"],
  "kernels/fast/whole_step.wgsl": [
    "clip",
    "sum",
    "sigmoid",
    "activateBackward",
    "elementLossBackward",
    "softmaxLossBackward",
    "weightBackward",
    "inputBackward",
    "backward",
    "main",
  ],
};

/** Modules: functions, methods and constants. */
export const MODULES: Readonly<Record<string, readonly string[]>> = {
  "lib/core/activation_layers.ts": ["ReLU", "LeakyReLU", "Sigmoid", "Tanh", "GELU"].map((name) => `${name}.backward`),
  "lib/core/activations.ts": [
    "reluBackward",
    "sigmoidBackward",
    "leakyReluBackward",
    "tanhBackward",
    "geluBackward",
  ],
  "lib/core/dropout.ts": ["dropout", "dropoutBackward"],
  "lib/core/dropout_layer.ts": ["backward"],
  "lib/core/elementwise.ts": ["addBackward", "subtractBackward", "multiplyBackward", "scaleBackward", "elementwise"],
  "lib/core/linear.ts": ["backward"],
  "lib/core/losses.ts": ["softmaxCrossEntropy.backward", "meanOf", "inOnePass"],
  "lib/core/matmul.ts": ["matmul", "matmulBackward", "addBiasBackward"],
  "lib/reference/matrix.ts": ["matmul", "transpose", "columnSums"],
  "lib/core/model.ts": ["backward"],
  "lib/core/reductions.ts": [
    "sumBackward",
    "meanBackward",
    "minBackward",
    "maxBackward",
    "extremeBackward",
    "axes",
    "spread",
    "reduce",
  ],
  "lib/reference/mod.ts": ["backward"],
  "lib/reference/activations.ts": [
    "reluBackward",
    "sigmoidBackward",
    "leakyReluBackward",
    "tanhBackward",
    "geluBackward",
  ],
  "lib/reference/dropout.ts": ["backward"],
  "lib/reference/layers.ts": [
    ...["Linear", "ReLU", "Sigmoid", "LeakyReLU", "Tanh", "GELU"].map((name) => `Reference${name}.backward`),
  ],
  "lib/reference/losses.ts": [
    ...["Mse", "SoftmaxCrossEntropy", "Mae", "Huber", "WeightedBce", "WeightedSoftmax"]
      .map((name) => `reference${name}.backward`),
  ],
  "lib/training/recorded_rows.ts": ["gatherRowsBackward"],
  "lib/core/weighted_losses.ts": ["weightedSoftmaxCrossEntropy", "weigh"],
};

/** Mutants that compute the same, by the reason. */
export const EQUIVALENT: readonly (readonly [reason: string, mutants: readonly string[]])[] = [
  ["There are two axes at most: where o is over 0, inner is 1", [
    "kernels/ops/spread.wgsl: out[index] = sizes.factor * x[o ‹* → /› sizes.inner + index % sizes.inner];",
  ]],
  ["All lanes but one write the loss instead of one, the same one to the same place; no gradient hangs on it", [
    "kernels/fast/whole_step.wgsl: if (invocation ‹== → !=› 0u) {",
  ]],
  ["It gives a dX that nobody asked for: more work, the same gradients", [
    "lib/core/model.ts: const { wantDX = ‹false → true›, observe } = options;",
  ]],
];
