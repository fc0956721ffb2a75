/**
 * Where a value that is not finite came up: the step, the tensor, the rows. Training gives the same bits each time, so that
 * the steps since a state that was sound can be taken again, as often as the search needs, and the last of them one
 * operation at a time.
 *
 * @module
 */
import { NotFiniteError } from "../base/errors.ts";
import { type FaultCause, largest, likelyCause, unseenCause } from "./fault_cause.ts";
import { layerNames } from "../core/model.ts";
import type { Tensor } from "../core/tensor.ts";
import type { ReadTensor } from "../training/look.ts";
import type { Trainer } from "../training/trainer.ts";
import { readState, type TrainingState } from "../training/training_state.ts";

export type { FaultCause } from "./fault_cause.ts";

/** The first value that is not finite. */
export interface Fault {
  /** The step that made it, from 1 over all epochs. */
  readonly step: number;
  /** The epoch of that step, from 1. */
  readonly epoch: number;
  /**
   * The tensor that has it, the first in the order of computation: `x` or `y` of the batch; `z1` ... `loss`, `grad_logits`,
   * `grad_weight_1` ... as in `Trainer.lookAhead`; `gradient norm` where `clipNorm` overflowed; then what the step
   * leaves, `optimizer.variance.0.weight`, `weights.0.weight`. Where the step did not show it: the name in the error.
   */
  readonly tensor: string;
  /** The layer that the tensor belongs to: its number in the model, as in parameter names, and its kind. */
  readonly layer?: { readonly number: number; readonly kind: string };
  /** NaN, Infinity or -Infinity. */
  readonly value?: number;
  /** Its place in the tensor, by axis. */
  readonly at?: readonly number[];
  /** The training row it is in, where the tensor has one for each row of the batch. */
  readonly row?: number;
  /** The training rows of the step's batch, numbered as they were given. */
  readonly rows: Uint32Array<ArrayBuffer>;
  /** Why, probably. */
  readonly cause: FaultCause;
}

/** A step before which all was finite and in or after which something is not, as far as is known. */
interface Narrowed {
  /** What the step starts from. */
  readonly good: TrainingState;
  /** What was found after it. */
  readonly bad: NotFiniteError;
  /** Losses of the whole epoch before that of `good`, where it was run. */
  readonly earlier: ArrayLike<number>;
}

/** Tensors with a row for each of the batch. */
const BY_ROW = /^(x|y|[zad]\d+|grad_logits)$/;

/**
 * Finds where a value that is not finite came up, and puts the training back to the state that it started from. What the
 * optimizer's learning rate, or `learningRates`, go by must stand as it stood at the steps since then.
 *
 * @param trainer What reported the error, or one with the same options.
 * @param state What its `snapshot` gave at the step of the error or before, and finite.
 * @param error What it reported.
 * @param more As in `Trainer.restore`, where the state holds more tensors.
 * @returns The first value that is not finite, and a likely cause.
 * @throws {RangeError} If the state is of a later step than the error.
 * @throws {TypeError} If the state is of another training.
 * @throws {DeviceError} If the GPU reported a fault.
 *
 * @example
 * ```ts
 * import { Device, findFault, Linear, Model, mse, NotFiniteError, Sgd, Tensor, Trainer } from "@backhand/backhand";
 * import { assertEquals, assertRejects } from "@std/assert";
 * using device = await Device.request({ smallDispatches: true });
 * using model = new Model(device, [new Linear(1, 1)]);
 * using optimizer = new Sgd(model, 0.1);
 * using x = Tensor.from(device, [[-1], [0], [NaN], [2]]);
 * using y = Tensor.from(device, [[-1], [1], [3], [5]]);
 * using trainer = new Trainer({ model, loss: mse, optimizer, x, y, batchSize: 2, seed: 1, shuffle: false });
 * const state = await trainer.snapshot();
 * const error = await assertRejects(() => Array.fromAsync(trainer.epochs(9)), NotFiniteError);
 * const { step, tensor, row, rows, cause } = await findFault(trainer, state, error);
 * assertEquals([step, tensor, row, [...rows]], [2, "x", 2, [2, 3]]);
 * assertEquals(cause.text, "row 2 of the training rows has NaN as its input 0");
 * assertEquals(trainer.step, 0);
 * ```
 */
export async function findFault(
  trainer: Trainer,
  state: TrainingState,
  error: NotFiniteError,
  more: Readonly<Record<string, Tensor>> = {},
): Promise<Fault> {
  if (error.step < state.step) {
    throw new RangeError(`Cannot look for a fault of step ${error.step} from a state of step ${state.step}`);
  }
  try {
    return faultOfState(trainer, state) ??
      await locate(trainer, state, await narrow(trainer, state, error, more));
  } finally {
    trainer.restore(state, more);
  }
}

/** Runs parts of the steps again, half of those that are left each time, until one is left. */
async function narrow(
  trainer: Trainer,
  state: TrainingState,
  error: NotFiniteError,
  more: Readonly<Record<string, Tensor>>,
): Promise<Narrowed> {
  trainer.restore(state, more);
  let good = await trainer.snapshot();
  let bad = error;
  let earlier: ArrayLike<number> = [];
  const probe = async (step: number) => {
    trainer.restore(good);
    try {
      earlier = (await runTo(trainer, step)).at(-1)?.losses ?? earlier;
      good = await trainer.snapshot();
    } catch (found) {
      if (!(found instanceof NotFiniteError)) throw found;
      bad = found;
    }
  };
  if (bad.after > good.step) await probe(bad.after);
  while (bad.step - good.step > 1) await probe(good.step + Math.floor((bad.step - good.step) / 2));
  return { good, bad, earlier };
}

/** Runs whole epochs and a part of one, up to a step. */
async function runTo(trainer: Trainer, step: number): Promise<{ losses: Float32Array }[]> {
  const epochs = Math.ceil(step / trainer.stepsPerEpoch) - trainer.epoch;
  return await Array.fromAsync(trainer.epochs(epochs, { between: (now) => step - now }));
}

/** Takes the step once more, and names the first tensor that is not finite. */
async function locate(trainer: Trainer, state: TrainingState, narrowed: Narrowed): Promise<Fault> {
  const { good, bad } = narrowed;
  const step = good.step + 1;
  if (bad.step <= good.step) return notAgain(trainer, state, narrowed);
  const seen = await lookAt(trainer, good);
  // Clipping, the update, and the last digits of one kernel for all operations: only what the step leaves shows them.
  const found = firstBad(seen) ?? firstBad(await leftBy(trainer, narrowed));
  if (!found) {
    const { model, optimizer } = trainer.options; // as the step, taken once more, has left them
    return notAgain(trainer, state, narrowed, readingsOf(await readState(model, optimizer, {})));
  }
  const place = placeOf(trainer, found, trainer.rowsOf(step));
  return { ...stepOf(trainer, step), ...place, cause: causeOf(trainer, state, narrowed, seen, place) };
}

/** What the step after a state makes, operation by operation, gradients before clipping. */
async function lookAt(trainer: Trainer, good: TrainingState): Promise<ReadTensor[]> {
  trainer.restore(good);
  let seen: Promise<ReadTensor[]> | undefined;
  const between = () => {
    seen = trainer.readAhead();
    seen.catch(() => {}); // it is awaited below
    return 0;
  };
  await Array.fromAsync(trainer.epochs(1, { between }));
  return await seen!;
}

/** What the step leaves as it runs in training, in the order of computation; nothing where it is sound. */
async function leftBy(trainer: Trainer, { good, bad: { what, value } }: Narrowed): Promise<ReadTensor[]> {
  const { model, optimizer, clipNorm } = trainer.options;
  trainer.restore(good);
  const isSound = await runTo(trainer, good.step + 1).then(() => true, (error) => {
    if (!(error instanceof NotFiniteError)) throw error;
    return false;
  });
  if (isSound) return [];
  const gradients = Object.entries(await model.readGradients()).reverse().map(([name, data]) => {
    const { parameter } = model.parameters.find((parameter) => parameter.name === name)!;
    return { name: `gradients.${name}`, shape: parameter.shape, data };
  });
  const loss = what === "loss" ? [{ name: "loss", shape: [], data: [value!] }] : [];
  // Gradients that were finite before clipping are not, where their norm overflows.
  const isNormBad = clipNorm !== undefined && firstBad(gradients) !== undefined;
  const norm = isNormBad ? [{ name: "gradient norm", shape: [], data: [Infinity] }] : [];
  return [...loss, ...norm, ...gradients, ...readingsOf(await readState(model, optimizer, {}))];
}

/** The optimizer's state before the weights: that is how a step computes them. */
function readingsOf({ tensors }: Pick<TrainingState, "tensors">): ReadTensor[] {
  const all = Object.entries(tensors).map(([name, { shape, data }]) => ({ name, shape, data }));
  const isWeight = ({ name }: ReadTensor) => name.startsWith("weights.");
  return [...all.filter((reading) => !isWeight(reading)), ...all.filter(isWeight)];
}

function firstBad(readings: readonly ReadTensor[]): ReadTensor | undefined {
  return readings.find(({ data }) => badIndex(data) >= 0);
}

function badIndex(data: ArrayLike<number>): number {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return i;
  return -1;
}

type FaultPlace = Omit<Fault, "step" | "epoch" | "cause">;

/** Where in a tensor, in which layer and in which row its first value is that is not finite. */
function placeOf(trainer: Trainer, { name, shape, data }: ReadTensor, rows: Uint32Array<ArrayBuffer>): FaultPlace {
  const index = badIndex(data);
  const columns = shape.at(-1) ?? 1;
  const number = layerOf(trainer, name);
  const at = shape.length === 2 ? [Math.floor(index / columns), index % columns] : shape.length === 1 ? [index] : [];
  return {
    tensor: name,
    ...number >= 0 ? { layer: { number, kind: trainer.options.model.layers[number].kind } } : {},
    value: data[index],
    at,
    ...BY_ROW.test(name) ? { row: rows[at[0] % rows.length] } : {},
    rows,
  };
}

/** The number of the layer that a tensor belongs to; -1 where it is none's. */
function layerOf({ options: { model: { layers } } }: Trainer, name: string): number {
  const names = layerNames(layers);
  const gradient = /^grad_\w+_(\d+)$/.exec(name);
  const parameter = /\.(\d+)\.\w+$/.exec(name);
  if (gradient) return names.indexOf(`z${gradient[1]}`);
  return parameter ? Number(parameter[1]) : names.indexOf(name);
}

function stepOf({ stepsPerEpoch }: Trainer, step: number): { step: number; epoch: number } {
  return { step, epoch: Math.max(1, Math.ceil(step / stepsPerEpoch)) };
}

function causeOf(
  trainer: Trainer,
  state: TrainingState,
  narrowed: Narrowed,
  seen: readonly ReadTensor[],
  { tensor, value, at = [], row }: FaultPlace,
): FaultCause {
  const [x, y] = seen;
  return likelyCause({
    tensor,
    value: value!,
    row,
    column: at.at(-1) ?? 0,
    x: x.data,
    y: y.data,
    widths: [x.shape[1], y.shape[1]],
    ...growthOf(trainer, state, narrowed),
    gradient: sizeOf("grad_", seen),
  });
}

/** How the training went up to the step. */
function growthOf(
  { options: { learningRates, optimizer } }: Trainer,
  state: TrainingState,
  { good, earlier }: Narrowed,
) {
  return {
    losses: [...Array.from(earlier), ...good.losses],
    rate: learningRates?.(good.step) ?? optimizer.learningRate,
    weight: [sizeOf("weights.", readingsOf(good)), sizeOf("weights.", readingsOf(state))] as const,
  };
}

function sizeOf(prefix: string, readings: readonly ReadTensor[]): number {
  return largest(readings.filter(({ name }) => name.startsWith(prefix)).map(({ data }) => data));
}

/** The fault of a state that was not sound to begin with. */
function faultOfState(trainer: Trainer, state: TrainingState): Fault | undefined {
  const found = firstBad(readingsOf(state));
  if (!found) return undefined;
  const text = `it was there at step ${state.step} already, where the search begins`;
  const place = placeOf(trainer, found, new Uint32Array());
  return { ...stepOf(trainer, state.step), ...place, cause: { kind: "state", text } };
}

/** What was reported, where the steps taken again are sound: it came from outside them, or the device erred. */
function notAgain(trainer: Trainer, state: TrainingState, narrowed: Narrowed, left = readingsOf(narrowed.good)): Fault {
  const { what, value, step } = narrowed.bad;
  const growth = growthOf(trainer, state, narrowed);
  const cause = unseenCause({ ...growth, weight: [sizeOf("weights.", left), growth.weight[1]] }, step);
  return { ...stepOf(trainer, step), tensor: what, value, rows: new Uint32Array(), cause };
}
