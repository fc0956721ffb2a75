/** The backward passes that are mutated, and the mutants that compute the same as the original. */

/** Kernels: each file's functions that run backward. Forward passes are beside the point. */
export const KERNELS: Readonly<Record<string, readonly string[]>> = {
  "kernels/bce_with_logits_backward.wgsl": ["main"],
  "kernels/gather_rows_backward.wgsl": ["main"],
  "kernels/gelu_backward.wgsl": ["main"],
  "kernels/huber_backward.wgsl": ["main"],
  "kernels/leaky_relu_backward.wgsl": ["main"],
  "kernels/relu_backward.wgsl": ["main"],
  "kernels/sigmoid_backward.wgsl": ["main"],
  "kernels/softmax_cross_entropy_backward.wgsl": ["main"],
  "kernels/squared_error_backward.wgsl": ["main"],
  "kernels/tanh_backward.wgsl": ["main"],
  // The backward of dropout, of sums and products: the kernel of the forward serves again.
  "kernels/dropout.wgsl": ["mix", "main"],
  "kernels/elementwise.wgsl": ["main"],
  "kernels/matmul.wgsl": ["main"],
  "kernels/reduce.wgsl": ["isNan", "fold", "main"],
  "kernels/scale.wgsl": ["main"],
  "kernels/spread.wgsl": ["main"],
  // Forward and backward in one.
  "kernels/loss_step.wgsl": ["main"],
  "kernels/softmax_cross_entropy_step.wgsl": ["stepRow", "main"],
  "kernels/matmul_epilogue.wgsl": ["isNegative", "activateBackward"],
  "kernels/whole_step.wgsl": [
    ...["clip", "sum", "sigmoid", "activateBackward", "elementLossBackward", "softmaxLossBackward"],
    ...["weightBackward", "inputBackward", "backward", "main"],
  ],
};

/** Modules: functions, methods and constants. */
export const MODULES: Readonly<Record<string, readonly string[]>> = {
  "lib/activation_layers.ts": ["ReLU", "LeakyReLU", "Sigmoid", "Tanh", "GELU"].map((name) => `${name}.backward`),
  "lib/activations.ts": [
    ...["reluBackward", "sigmoidBackward", "leakyReluBackward", "tanhBackward", "geluBackward"],
  ],
  "lib/dropout.ts": ["dropout", "dropoutBackward"],
  "lib/dropout_layer.ts": ["backward"],
  "lib/elementwise.ts": ["addBackward", "subtractBackward", "multiplyBackward", "scaleBackward", "elementwise"],
  "lib/linear.ts": ["backward"],
  "lib/losses.ts": ["softmaxCrossEntropy.backward", "meanOf", "inOnePass"],
  "lib/matmul.ts": ["matmul", "matmulBackward", "addBiasBackward"],
  "lib/matrix.ts": ["matmul", "transpose", "columnSums"],
  "lib/model.ts": ["backward"],
  "lib/reductions.ts": [
    ...["sumBackward", "meanBackward", "minBackward", "maxBackward", "extremeBackward", "axes", "spread", "reduce"],
  ],
  "lib/reference.ts": ["backward"],
  "lib/reference_activations.ts": [
    ...["reluBackward", "sigmoidBackward", "leakyReluBackward", "tanhBackward", "geluBackward"],
  ],
  "lib/reference_dropout.ts": ["backward"],
  "lib/reference_layers.ts": [
    ...["Linear", "ReLU", "Sigmoid", "LeakyReLU", "Tanh", "GELU"].map((name) => `Reference${name}.backward`),
  ],
  "lib/reference_losses.ts": [
    ...["Mse", "SoftmaxCrossEntropy", "Mae", "Huber", "WeightedBce", "WeightedSoftmax"]
      .map((name) => `reference${name}.backward`),
  ],
  "lib/rows.ts": ["gatherRowsBackward"],
  "lib/weighted_losses.ts": ["weightedSoftmaxCrossEntropy", "weigh"],
};

/** Mutants that compute the same, by the reason. */
export const EQUIVALENT: readonly (readonly [reason: string, mutants: readonly string[]])[] = [
  ["There are two axes at most: where o is over 0, inner is 1", [
    "kernels/spread.wgsl: out[index] = sizes.factor * x[o ‹* → /› sizes.inner + index % sizes.inner];",
  ]],
  ["All lanes but one write the loss instead of one, the same one to the same place; no gradient hangs on it", [
    "kernels/whole_step.wgsl: if (invocation ‹== → !=› 0u) {",
  ]],
  ["It gives a dX that nobody asked for: more work, the same gradients", [
    "lib/model.ts: const { wantDX = ‹false → true›, observe } = options;",
  ]],
];
