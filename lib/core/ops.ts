/**
 * Operations on tensors, by topic. `dX` is the gradient of the loss with respect to `x`; a backward takes what the forward
 * pass took or made, and `dOut`, and returns the gradient of each input.
 *
 * Every operation makes its result, or writes it into `out` where one is given. Shapes are checked before anything runs.
 *
 * @module
 */
export * from "./activations.ts";
export * from "./dropout.ts";
export * from "./elementwise.ts";
export * from "./functions.ts";
export * from "./matmul.ts";
export * from "./reductions.ts";
export * from "./softmax.ts";
