/**
 * The state of a training between two steps, as plain numbers: a training continues from it bit for bit. It holds nothing
 * random: orders, masks and first weights follow from the seed and the step.
 *
 * @module
 */
import type { Model } from "../core/model.ts";
import type { Optimizer } from "../core/optimizers.ts";
import type { StoredTensor } from "../safetensors/reader.ts";
import { formatShape, sameShape, sizeOf } from "../base/shape.ts";
import { ELEMENT_BYTES, readAll, type Tensor } from "../core/tensor.ts";

/** The state of a training between two steps. */
export interface TrainingState {
  /** Steps done, over all epochs. */
  readonly step: number;
  /** Loss of each step that the epoch under way has done. */
  readonly losses: Float32Array<ArrayBuffer>;
  /** Parameters by name as `weights.0.weight`, the optimizer's state as `optimizer.mean.0.weight`. */
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  /** What layers count, as `layers.2.step`. */
  readonly counters: Readonly<Record<string, number>>;
}

/** Numbers of a state, as they lie on the GPU. */
type StateNumbers = Pick<TrainingState, "tensors" | "counters">;

/** A tensor that a state holds: flat ones, in the model's layout, are cut into its parameters. */
interface StoredPlace {
  readonly name: string;
  readonly tensor: Tensor;
  readonly isFlat: boolean;
}

/** Reads a state in one wait, as it is after all that is on the queue now. */
export async function readState(
  model: Model,
  optimizer: Optimizer,
  more: Readonly<Record<string, Tensor>>,
): Promise<StateNumbers> {
  const places = placesOf(model, optimizer, more);
  const read = await readAll(places.map(({ tensor }) => tensor));
  const tensors: Record<string, StoredTensor> = {};
  const counters: Record<string, number> = {};
  places.forEach(({ name, tensor, isFlat }, i) => {
    const data = read[i];
    if (data instanceof Uint32Array) {
      counters[name] = data[0];
    } else if (!isFlat) {
      tensors[name] = { shape: [...tensor.shape], data };
    } else {
      for (const { name: own, shape, place } of partsOf(model)) {
        tensors[`${name}.${own}`] = { shape: [...shape], data: data.slice(place, place + sizeOf(shape)) };
      }
    }
  });
  return { tensors, counters };
}

/** Puts a state where it came from, after all that is on the queue. If a part does not fit, nothing is written. */
export function writeState(
  { tensors, counters }: StateNumbers,
  model: Model,
  optimizer: Optimizer,
  more: Readonly<Record<string, Tensor>>,
): void {
  const writes: (() => void)[] = [];
  const faults: string[] = [];
  const left = new Set([...Object.keys(tensors), ...Object.keys(counters)]);
  const put = (name: string, tensor: Tensor) => {
    left.delete(name);
    const { shape, data } = tensors[name] ?? { shape: undefined, data: Uint32Array.of(counters[name] ?? 0) };
    const isThere = tensor.dtype === "u32" ? name in counters : shape !== undefined;
    if (!isThere) faults.push(`${name} ${formatShape(tensor.shape)} is missing`);
    else if (shape && !sameShape(shape, tensor.shape)) {
      faults.push(`${name} is ${formatShape(shape)}, need ${formatShape(tensor.shape)}`);
    } else writes.push(() => tensor.write(data));
  };
  for (const { name, tensor, isFlat } of placesOf(model, optimizer, more)) {
    if (!isFlat) put(name, tensor);
    else for (const { name: own, shape, place } of partsOf(model)) put(`${name}.${own}`, tensor.view(place, shape));
  }
  for (const name of left) faults.push(`${name} is unknown`);
  if (faults.length > 0) throw new TypeError(`Cannot continue from this state: ${faults.join("; ")}`);
  for (const write of writes) write();
}

function placesOf(model: Model, optimizer: Optimizer, more: Readonly<Record<string, Tensor>>): StoredPlace[] {
  const flat = { weights: model.values, ...more };
  const kept = Object.entries(optimizer.state).map(([name, tensor]) => [`optimizer.${name}`, tensor] as const);
  const counted = model.layers.flatMap(({ counters = {} }, i) =>
    Object.entries(counters).map(([name, tensor]) => [`layers.${i}.${name}`, tensor] as const)
  );
  return [...Object.entries(flat), ...kept, ...counted].map(([name, tensor]) => {
    return { name, tensor, isFlat: tensor.dtype === "f32" && sameShape(tensor.shape, model.values.shape) };
  });
}

/** Name, shape and place of each parameter in the model's layout. */
function partsOf({ parameters, values }: Model): { name: string; shape: readonly number[]; place: number }[] {
  return parameters.map(({ name, parameter: { shape, value } }) => {
    return { name, shape, place: (value.byteOffset - values.byteOffset) / ELEMENT_BYTES };
  });
}
