/**
 * All operations on tensors: those of core, and arithmetic. `dX` is the gradient of the loss with respect to `x`; a backward
 * takes what the forward pass took or made, and `dOut`, and returns the gradient of each input.
 *
 * Every operation makes its result, or writes it into `out` where one is given. Shapes are checked before anything runs.
 *
 * @module
 */
export * from "../core/activations.ts";
export * from "../core/dropout.ts";
export * from "../core/matmul.ts";
export * from "../core/reductions.ts";
export * from "./elementwise.ts";
export * from "./functions.ts";
export * from "./min_max_norm.ts";
export * from "./places.ts";
export * from "./sgd_step.ts";
export * from "./softmax.ts";
