/**
 * Fully connected networks, and layers by the names that settings and files give them.
 *
 * @module
 */
import { GELU, LeakyReLU, ReLU, Sigmoid, Tanh } from "./activation_layers.ts";
import { Dropout } from "./dropout_layer.ts";
import type { Layer } from "./layer.ts";
import { Linear } from "./linear.ts";

/** The name of an activation in settings. */
export type ActivationName = "relu" | "leaky-relu" | "tanh" | "sigmoid" | "gelu";

/** How the activations are made. */
export const ACTIVATIONS: Readonly<Record<ActivationName, () => Layer>> = {
  "relu": () => new ReLU(),
  "leaky-relu": () => new LeakyReLU(),
  "tanh": () => new Tanh(),
  "sigmoid": () => new Sigmoid(),
  "gelu": () => new GELU(),
};

/** Options of {@linkcode multilayerPerceptron}. */
export interface PerceptronOptions {
  /** What stands behind each hidden Linear; `relu` by default. */
  readonly activation?: ActivationName;
  /** Share of each hidden layer's activations that training drops, from 0 to less than 1; 0, no dropout, by default. */
  readonly dropout?: number;
  /** Fixes what is dropped; 0 by default. */
  readonly seed?: number;
}

/**
 * The layers of a fully connected network: for each hidden width a Linear, an activation and, where asked
 * for, a Dropout; then a Linear.
 *
 * @param inputs Values in a row of the input.
 * @param hiddenSize Widths of the hidden layers.
 * @param outputs Values in a row of the output.
 * @param options Which activation, and how much is dropped.
 * @returns The layers, first to last.
 * @throws {RangeError} If there is no such activation, or the share is out of range.
 *
 * @example
 * ```ts
 * import { multilayerPerceptron } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const layers = multilayerPerceptron(2, [16, 8], 1, { activation: "tanh" });
 * assertEquals(layers.map(({ kind }) => kind), ["Linear", "Tanh", "Linear", "Tanh", "Linear"]);
 * ```
 */
export function multilayerPerceptron(
  inputs: number,
  hiddenSize: readonly number[],
  outputs: number,
  options: PerceptronOptions = {},
): Layer[] {
  const { activation = "relu", dropout = 0, seed } = options;
  if (!Object.hasOwn(ACTIVATIONS, activation)) {
    const known = Object.keys(ACTIVATIONS).join(", ");
    throw new RangeError(
      `Cannot build a network with activation ${JSON.stringify(activation)}: choose one of ${known}`,
    );
  }
  const widths = [inputs, ...hiddenSize];
  const hidden = hiddenSize.flatMap((width, i): Layer[] => {
    const layers = [new Linear(widths[i], width), ACTIVATIONS[activation]()];
    return dropout === 0 ? layers : [...layers, new Dropout(dropout, { seed })];
  });
  return [...hidden, new Linear(widths.at(-1)!, outputs)];
}

/** How layers without parameters are made from what a file says of them. */
const BUILDERS: Readonly<Record<string, (settings: Readonly<Record<string, number>>) => Layer>> = {
  ReLU: () => new ReLU(),
  LeakyReLU: ({ slope }) => new LeakyReLU({ slope: slope ?? NaN }),
  Tanh: () => new Tanh(),
  Sigmoid: () => new Sigmoid(),
  GELU: () => new GELU(),
  Dropout: ({ rate, seed }) => new Dropout(rate, { seed: seed ?? NaN }),
};

/**
 * A layer without parameters, from its kind and settings.
 *
 * @throws {RangeError} If the settings are not such as the layer takes.
 */
export function buildPlainLayer(kind: string, settings: Readonly<Record<string, number>>): Layer | undefined {
  return Object.hasOwn(BUILDERS, kind) ? BUILDERS[kind](settings) : undefined;
}
