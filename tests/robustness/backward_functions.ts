/** The backward passes that are mutated, and the mutants that compute the same as the original. */

/** Kernels: each file's functions that run backward. Forward passes are left alone. */
export const KERNELS: Readonly<Record<string, readonly string[]>> = {
  "kernels/losses/bce_with_logits_backward.wgsl": ["main"],
  "kernels/recorded_step/gather_rows_backward.wgsl": ["main"],
  "kernels/losses/huber_backward.wgsl": ["main"],
  "kernels/losses/softmax_cross_entropy_backward.wgsl": ["main"],
  "kernels/losses/squared_error_backward.wgsl": ["main"],
  "kernels/activations/backward.wgsl": ["main"],
  "kernels/activations/gelu.wgsl": ["geluBackward"],
  "kernels/activations/leaky_relu.wgsl": ["leakyReluBackward"],
  "kernels/activations/relu.wgsl": ["reluBackward"],
  // A loss takes the sigmoid's forward for its backward.
  "kernels/activations/sigmoid.wgsl": ["sigmoidForward", "sigmoidBackward"],
  "kernels/activations/tanh.wgsl": ["tanhBackward"],
  // The backward of dropout, of sums and products: the kernel of the forward serves again.
  "kernels/ops/dropout.wgsl": ["mix", "main"],
  "kernels/ops/elementwise.wgsl": ["operand", "main"],
  "kernels/ops/transpose.wgsl": ["main"],
  "kernels/ops/matmul.wgsl": ["main"],
  "kernels/ops/reduce.wgsl": ["isNan", "fold", "main"],
  "kernels/ops/scale.wgsl": ["main"],
  "kernels/ops/spread.wgsl": ["main"],
  // Forward and backward in one.
  "kernels/fast/loss_step.wgsl": ["main"],
  "kernels/fast/softmax_cross_entropy_step.wgsl": ["stepRow", "main"],
  "kernels/fast/matmul_epilogue.wgsl": ["activateBackward"],
  "kernels/fast/whole_step.wgsl": [
    "clip",
    "sum",
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
  "lib/check/operation_cases.ts": ["OperandLayer.backward", "FunctionLayer.backward"],
  "lib/core/activations.ts": [
    ...["relu", "leakyRelu", "sigmoid", "tanh", "gelu"].map((name) => `${name}Backward`),
    ...["ReLU", "LeakyReLU", "Sigmoid", "Tanh", "GELU"].map((name) => `${name}.backward`),
  ],
  "lib/core/dropout.ts": ["dropout", "dropoutBackward", "Dropout.backward"],
  "lib/core/broadcast.ts": ["operate", "sumToOperand"],
  "lib/core/elementwise.ts": ["add", "subtract", "multiply", "divide", "scale"].map((name) => `${name}Backward`),
  "lib/core/folding.ts": ["axesOf", "spreadTimes", "reduce"],
  "lib/core/functions.ts": ["exp", "log", "sqrt", "square"].map((name) => `${name}Backward`),
  "lib/core/layers.ts": ["Linear.backward"],
  "lib/core/losses.ts": [
    "softmaxCrossEntropy.backward",
    "meanOf",
    "inOnePass",
    "weightedSoftmaxCrossEntropy",
    "weigh",
  ],
  "lib/core/matmul.ts": ["matmul", "matmulBackward", "transposeBackward", "addBiasBackward"],
  "lib/core/model.ts": ["backward"],
  "lib/core/reductions.ts": [
    "sumBackward",
    "meanBackward",
    "minBackward",
    "maxBackward",
    "extremeBackward",
    "normBackward",
    "spreadBackward",
  ],
  "lib/core/softmax.ts": ["softmaxBackward"],
  "lib/reference/mod.ts": ["backward"],
  "lib/reference/activations.ts": [
    ...["relu", "leakyRelu", "sigmoid", "tanh", "gelu"].map((name) => `${name}Backward`),
    "ReferenceActivation.backward",
  ],
  "lib/reference/dropout.ts": ["backward"],
  "lib/reference/layers.ts": ["ReferenceLinear.backward"],
  "lib/reference/losses.ts": [
    ...["Mse", "SoftmaxCrossEntropy", "Mae", "Huber", "WeightedBce", "WeightedSoftmax"]
      .map((name) => `reference${name}.backward`),
  ],
  "lib/reference/operations.ts": [
    "placeIn",
    "pairs",
    "spreadBackward",
    ...["add", "subtract", "multiply", "divide", "exp", "log", "sqrt", "square", "softmax", "rowNorms"]
      .map((name) => `${name}Backward`),
  ],
  "lib/reference/matrix.ts": ["matmul", "transpose", "columnSums"],
  "lib/training/recorded_rows.ts": ["gatherRowsBackward"],
};

/** Mutants that compute the same, by the reason. */
export const EQUIVALENT: readonly (readonly [reason: string, mutants: readonly string[]])[] = [
  ["There are two axes at most: where o is over 0, inner is 1", [
    "kernels/ops/elementwise.wgsl: return b[i / (sizes.length * sizes.inner) ‹* → /› sizes.inner + i % sizes.inner];",
    "kernels/ops/spread.wgsl: out[index] = sizes.factor * x[o ‹* → /› sizes.inner + index % sizes.inner];",
  ]],
  ["All lanes but one write the loss instead of one, the same one to the same place; no gradient depends on it", [
    "kernels/fast/whole_step.wgsl: if (invocation ‹== → !=› 0u) {",
  ]],
  ["It gives a dX that nobody asked for: more work, the same gradients", [
    "lib/core/model.ts: const { wantDX = ‹false → true›, observe } = options;",
  ]],
];
