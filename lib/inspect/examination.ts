/**
 * A look at a network in training: one forward and one backward pass over a sample, read back in one wait. Training goes on
 * as if nobody had looked: no mask of a dropout is drawn, parameters stay, and gradients are put back.
 *
 * @module
 */
import type { Look, LookedMatrix, LookedWeights } from "./diagnosis.ts";
import type { Loss } from "../core/losses.ts";
import type { Model } from "../core/model.ts";
import { ELEMENT_BYTES, readAll, Tensor } from "../core/tensor.ts";

/**
 * Looks at a model. All work is on the queue before the promise is returned: what is seen is the model of that moment,
 * whatever is put on the queue behind it.
 *
 * @throws {DeviceError} If the GPU reported a fault.
 */
export async function examine(
  model: Model,
  loss: Loss,
  x: Tensor,
  y: Tensor,
): Promise<Required<Pick<Look, "relus" | "weights">>> {
  const { device } = model;
  const names: string[] = [];
  using kept = Tensor.zeros(device, model.gradients.shape);
  device.copy(model.gradients, kept);
  const relus = device.tidy(() => {
    const seen: Tensor[] = [];
    let layer = 0;
    const observe = (name: string, tensor: Tensor): void => {
      if (model.layers[layer++].kind !== "ReLU") return;
      names.push(name);
      seen.push(tensor);
    };
    const prediction = model.forward(x, { observe });
    model.backward(loss.forwardBackward(prediction, y).dPrediction);
    return seen;
  });
  const read = readAll([model.values, model.gradients, ...relus]);
  device.copy(kept, model.gradients);
  for (const tensor of relus) tensor.dispose();
  const [values, gradients, ...outputs] = await read;
  return {
    relus: relus.map(({ shape: [rows, columns] }, i) => ({ name: names[i], rows, columns, data: outputs[i] })),
    weights: weightsOf(model, values, gradients),
  };
}

/** The layers that have weight and bias, as parts of the flat arrays. */
function weightsOf({ parameters, values: { byteOffset } }: Model, values: Flat, gradients: Flat): LookedWeights[] {
  const placed = new Map(parameters.map(({ name, parameter: { shape, value } }) => {
    const start = (value.byteOffset - byteOffset) / ELEMENT_BYTES;
    return [name, { shape, start, end: start + value.size }];
  }));
  return [...placed].filter(([_, { shape }]) => shape.length === 2).flatMap(([name, { shape, start, end }]) => {
    const bias = placed.get(name.replace(/weight$/, "bias"));
    if (!bias || bias.shape.length !== 1) return [];
    const matrix = (flat: Flat): LookedMatrix => ({
      name,
      rows: shape[0],
      columns: shape[1],
      data: flat.subarray(start, end),
    });
    const vector = (flat: Flat) => flat.subarray(bias.start, bias.end);
    const weight = matrix(values);
    const weightGradient = matrix(gradients);
    return [{ name, weight, weightGradient, bias: vector(values), biasGradient: vector(gradients) }];
  });
}

type Flat = Float32Array | Uint32Array;
