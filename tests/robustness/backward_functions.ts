/** The backward passes that are mutated, and the mutants that compute the same as the original. */

/** Files, each with names of what runs backward in it. */
function listed(names: Record<string, string>): Record<string, readonly string[]> {
  return Object.fromEntries(Object.entries(names).map(([file, list]) => [file, list.split(" ")]));
}

const ACTIVATIONS = "reluBackward leakyReluBackward sigmoidBackward tanhBackward geluBackward";

/** Kernels: each file's functions that run backward. Forward passes are left alone. */
export const KERNELS = listed({
  "kernels/losses/bce_with_logits_backward.wgsl": "main",
  "kernels/recorded_step/gather_rows_backward.wgsl": "main",
  "kernels/losses/huber_backward.wgsl": "main",
  "kernels/losses/softmax_cross_entropy_backward.wgsl": "main",
  "kernels/losses/squared_error_backward.wgsl": "main",
  "kernels/activations/backward.wgsl": "main",
  "kernels/activations/gelu.wgsl": "geluBackward",
  "kernels/activations/leaky_relu.wgsl": "leakyReluBackward",
  "kernels/activations/relu.wgsl": "reluBackward",
  // A loss takes the sigmoid's forward for its backward.
  "kernels/activations/sigmoid.wgsl": "sigmoidForward sigmoidBackward",
  "kernels/activations/tanh.wgsl": "tanhBackward",
  // The backward of dropout, of sums and products: the kernel of the forward serves again.
  "kernels/ops/dropout.wgsl": "main",
  "kernels/ops/dropout_mask.wgsl": "mix dropoutHash",
  "kernels/ops/elementwise.wgsl": "operand main",
  "kernels/ops/transpose.wgsl": "main",
  "kernels/ops/matmul.wgsl": "main",
  "kernels/ops/reduce.wgsl": "isNan fold main",
  "kernels/ops/scale.wgsl": "main",
  "kernels/ops/spread.wgsl": "main",
  "kernels/tabular/bins_backward.wgsl": "main",
  "kernels/tabular/names_backward.wgsl": "main",
  "kernels/tabular/wave.wgsl": "cosine falling",
  "kernels/tabular/waves_backward.wgsl": "main addTo keep keepMix",
  "kernels/tabular/waves_input_backward.wgsl": "main slope",
  // Forward and backward in one.
  "kernels/fast/loss_step.wgsl": "main",
  "kernels/fast/softmax_cross_entropy_step.wgsl": "stepRow main",
  "kernels/fast/matmul_epilogue.wgsl": "dropOut activateBackward",
  "kernels/fast/whole_step.wgsl":
    "clip sum activateBackward quotient columnsFrom columnsAt pick pickOne addOuter elementLossBackward " +
    "softmaxLossBackward weightBackward inputBackward backward main",
  "kernels/fast/whole_step_texels.wgsl": "texelOf rowsAt keepRows weightAt keepWeights",
});

/** Modules: functions, methods and constants. */
export const MODULES = listed({
  "lib/arithmetic/broadcast.ts": "operate sumToOperand",
  "lib/arithmetic/elementwise.ts": "addBackward subtractBackward multiplyBackward divideBackward scaleBackward",
  "lib/arithmetic/functions.ts": "expBackward logBackward sqrtBackward squareBackward",
  "lib/arithmetic/min_max_norm.ts": "minBackward maxBackward extremeBackward normBackward",
  "lib/arithmetic/places.ts": "transposeBackward spreadBackward",
  "lib/arithmetic/softmax.ts": "softmaxBackward",
  "lib/check/operation_cases.ts": "OperandLayer.backward FunctionLayer.backward",
  "lib/core/activations.ts":
    `${ACTIVATIONS} ReLU.backward LeakyReLU.backward Sigmoid.backward Tanh.backward GELU.backward`,
  "lib/core/dropout.ts": "dropout dropoutBackward Dropout.backward",
  "lib/core/layers.ts": "Linear.backward",
  "lib/core/losses.ts": "softmaxCrossEntropy.backward meanOf inOnePass weightedSoftmaxCrossEntropy weigh",
  "lib/core/matmul.ts": "matmul matmulBackward addBiasBackward",
  "lib/core/model.ts": "backward",
  "lib/core/reductions.ts": "sumBackward meanBackward axesOf spreadTimes reduce",
  "lib/reference/mod.ts": "backward",
  "lib/reference/activations.ts": `${ACTIVATIONS} ReferenceActivation.backward`,
  "lib/reference/dropout.ts": "backward",
  "lib/reference/layers.ts": "ReferenceLinear.backward",
  "lib/reference/losses.ts": "Mse SoftmaxCrossEntropy Mae Huber WeightedBce WeightedSoftmax"
    .replaceAll(/\w+/g, "reference$&.backward"),
  "lib/reference/matrix.ts": "matmul transpose columnSums",
  "lib/reference/operations.ts": "placeIn pairs spreadBackward addBackward subtractBackward multiplyBackward " +
    "divideBackward expBackward logBackward sqrtBackward squareBackward softmaxBackward rowNormsBackward",
  "lib/reference/table_embedding.ts": "backward #waves #rows binsOf",
  "lib/tabular/table_embedding.ts": "backward #wavesBackward #namesBackward #inputBackward",
  "lib/training/recorded_rows.ts": "gatherRowsBackward",
});

/** Mutants that compute the same, and why. */
export const EQUIVALENT: Readonly<Record<string, string>> = {
  "kernels/ops/elementwise.wgsl: return b[i / (sizes.length * sizes.inner) ‹* → /› sizes.inner + i % sizes.inner];":
    "There are two axes at most: where the quotient is over 0, inner is 1",
  "kernels/ops/spread.wgsl: out[index] = sizes.factor * x[o ‹* → /› sizes.inner + index % sizes.inner];":
    "There are two axes at most: where o is over 0, inner is 1",
  "kernels/fast/whole_step.wgsl: if (invocation ‹== → !=› 0u) {":
    "All lanes but one write the loss instead of one, the same one to the same place; no gradient depends on it",
  "lib/core/model.ts: const { wantDX = ‹false → true›, observe } = options;":
    "It gives a dX that nobody asked for: more work, the same gradients",
};
