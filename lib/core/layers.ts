/**
 * Layers: each keeps what its backward needs, and its backward stands right under its forward.
 *
 * A layer describes its parameters; the model gives them their place in its flat buffers.
 *
 * @module
 */
export * from "./activation_layers.ts";
export * from "./dropout_layer.ts";
export * from "./layer.ts";
export * from "./linear.ts";
export * from "./perceptron.ts";
