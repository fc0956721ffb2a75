/**
 * What is wrong with a network in training, from a look at it: pure functions of plain arrays.
 *
 * Each threshold stands under its name with its reason. They were chosen so that sound runs stay silent: the measures named
 * there are of this project's recipes and of four real tables with their defaults.
 *
 * @module
 */

/** Values row by row, or a vector as one row. */
export interface SeenMatrix {
  /** Its name in messages: `a1`, `0.weight`, a column's. */
  readonly name: string;
  /** Rows of the sample, or inputs of a weight; 1 of a bias. */
  readonly rows: number;
  readonly columns: number;
  /** Values [rows, columns]. */
  readonly data: ArrayLike<number>;
}

/** A hidden or output layer's parameters, and the gradients of a sample's loss. */
export interface SeenWeights {
  /** Name of the weight, such as `0.weight`. */
  readonly name: string;
  /** Weight [in, out]. */
  readonly weight: SeenMatrix;
  /** Its gradient [in, out]. */
  readonly weightGradient: SeenMatrix;
  /** Bias [out]. */
  readonly bias: ArrayLike<number>;
  /** Its gradient [out]. */
  readonly biasGradient: ArrayLike<number>;
}

/** A column and the range of its values. */
interface ColumnRange {
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** An input column. */
interface SeenInput {
  readonly name: string;
  /** How many names a column of category numbers has; undefined of one of numbers. */
  readonly names?: number;
}

export interface LossHistory {
  /** Mean of the last epoch's steps. */
  readonly train: number;
  /** On the validation rows, after it. */
  readonly validation: number;
  /** The lowest validation loss so far. */
  readonly lowest: number;
  readonly lowestEpoch: number;
  /** Mean of the first epoch's steps. */
  readonly firstTrain: number;
}

/** What can be wrong. */
type FindingKind =
  | "constant target"
  | "unscaled inputs"
  | "identical units"
  | "dead units"
  | "exploding gradient"
  | "vanishing gradient"
  | "overfitting";

export interface Finding {
  readonly kind: FindingKind;
  /** Layer, parameter or column; "" where it concerns the whole. */
  readonly where: string;
  /** What was seen, in numbers. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
}

/** A look at a network. What was not looked at is left out. */
export interface NetworkFacts {
  /** Inputs of the sample [rows, in], and their columns. */
  readonly inputs?: Omit<SeenMatrix, "name"> & { readonly of: readonly SeenInput[] };
  /** Outputs [rows, units] of each ReLU layer. */
  readonly relus?: readonly SeenMatrix[];
  /** Layers with weights, first to last. */
  readonly weights?: readonly SeenWeights[];
  /** Ranges of the targets over all training rows. */
  readonly targets?: readonly ColumnRange[];
  /** Losses, where there are validation rows. */
  readonly losses?: LossHistory;
}

/**
 * Share of a ReLU layer's units that are 0 on every row of the sample from which they are told of. Sound runs lose some: 6 of
 * 16 on xor, 29 of 64 seldom at work on the diamonds' prices.
 */
export const DEAD_SHARE = 0.5;

/**
 * Root mean square of an input column above which it counts as not scaled. LeCun, Bottou, Orr and Mueller ("Efficient
 * BackProp", 1998) ask for 1; a column of 10 has gradients ten times, and a curvature a hundred times, that of its neighbours.
 * The recipe linear, which scales nothing, has 3.
 */
export const LARGE_INPUT = 10;

/** Root mean square that at least one column must reach: below it biases are all that learns. */
export const SMALL_INPUT = 0.01;

/**
 * Norm of the gradient. Clipping is usually to 1 to 10 (Pascanu, Mikolov and Bengio 2013 take its running mean); sound runs
 * had at most 18, where targets reach 10, and 1 where they are scaled.
 */
export const EXPLODING_NORM = 100;

/**
 * Gradient of the first weights by that of the last ones, as root mean squares of elements. A sigmoid shrinks it fourfold or more on
 * each way through (Hochreiter 1991; Glorot and Bengio 2010). Sound runs had at least 0.02.
 */
export const VANISHING_RATIO = 1e-3;

/** How many times the training loss the validation loss is, where the network learns rows by heart. */
export const OVERFITTING_RATIO = 5;

/** How many times its own lowest it is: a gap alone may be the noise, or tiny losses. Sound runs had at most 1.4. */
export const OVERFITTING_RISE = 1.5;

/** Gap between the two as a share of the first epoch's training loss: what is learned to five hundredths is learned. */
export const OVERFITTING_GAP = 0.05;

/**
 * Finds what is wrong, causes before what follows from them: a target that is constant is told alone, inputs without scale
 * excuse gradients that explode, units that are identical or dead excuse gradients that vanish, and each of them a validation
 * loss that leaps.
 */
export function diagnose({ inputs, relus = [], weights = [], targets = [], losses }: NetworkFacts): Finding[] {
  const constant = targets.flatMap(constantTarget);
  if (constant.length > 0) return constant;
  const unscaled = inputs ? unscaledInputs(inputs) : [];
  const hidden = weights.slice(0, -1);
  const identical = hidden.flatMap(identicalUnits);
  const dead = identical.length > 0 ? [] : relus.flatMap(deadUnits);
  const exploding = unscaled.length > 0 ? [] : explodingGradient(weights);
  const vanishing = identical.length + dead.length > 0 ? [] : vanishingGradient(weights);
  const found = [...unscaled, ...identical, ...dead, ...exploding, ...vanishing];
  return found.length > 0 || !losses ? found : overfitting(losses);
}

/** What to do about a target that is constant. */
export const CONSTANT_TARGET_FIX = "choose another target, or add rows where it differs";

/** A target whose training rows all have one value. */
export function constantTarget({ name, min, max }: ColumnRange): Finding[] {
  if (min !== max) return [];
  return [{
    kind: "constant target",
    where: name,
    message: `target ${JSON.stringify(name)} is ${min} in every training row: there is nothing to learn`,
    fix: CONSTANT_TARGET_FIX,
  }];
}

function unscaledInputs({ of, rows, columns, data }: NonNullable<NetworkFacts["inputs"]>): Finding[] {
  const sizes = of.map(({ name, names }, column) => ({ name, names, size: sizeOf(data, rows, column, columns) }))
    .filter(({ names }) => names === undefined); // the network looks category numbers up: their size says nothing
  const large = sizes.filter(({ size }) => size > LARGE_INPUT && size < Infinity)
    .sort((a, b) => b.size - a.size);
  const small = sizes.every(({ size }) => size > 0 && size < SMALL_INPUT) ? sizes : [];
  const found = large.length > 0 ? large : small;
  if (found.length === 0) return [];
  const listed = found.slice(0, 3).map(({ name, size }) => `${JSON.stringify(name)} (${round(size)})`).join(", ");
  return [{
    kind: "unscaled inputs",
    where: "",
    message: `${found.length} of ${sizes.length} inputs are not scaled: ${listed}${found.length > 3 ? ", ..." : ""}, ` +
      "where a root mean square of 1 is usual",
    fix: "take scaling method standardize",
  }];
}

/** Units of a layer whose weights, bias and gradients are those of another unit, bit for bit: no update tells them apart. */
function identicalUnits({ name, weight, weightGradient, bias, biasGradient }: SeenWeights): Finding[] {
  const { rows, columns } = weight;
  const valuesOf = (unit: number, count: number): string => {
    const values = [bias[unit], biasGradient[unit]];
    for (let row = 0; row < count; row++) {
      values.push(weight.data[row * columns + unit], weightGradient.data[row * columns + unit]);
    }
    return values.every(Number.isFinite) ? values.join() : `unit ${unit}`;
  };
  // Most units differ in their first weight already.
  const alike = groupsOf(Array.from({ length: columns }, (_, unit) => unit), (unit) => valuesOf(unit, 1));
  const identical = alike.flatMap((units) => groupsOf(units, (unit) => valuesOf(unit, rows))).flat().length;
  if (identical === 0) return [];
  return [{
    kind: "identical units",
    where: name,
    message: `${identical} of ${columns} units of ${name} have the weights and the gradients of another one: ` +
      "they will stay identical and count as one",
    fix: "start from random weights: init kaiming or xavier",
  }];
}

/** Units with one key, where they are at least two. */
function groupsOf(units: readonly number[], keyOf: (unit: number) => string): number[][] {
  return [...Map.groupBy(units, keyOf).values()].filter(({ length }) => length > 1);
}

function deadUnits({ name, rows, columns, data }: SeenMatrix): Finding[] {
  let dead = 0;
  for (let unit = 0; unit < columns; unit++) {
    let row = 0;
    while (row < rows && data[row * columns + unit] === 0) row++;
    if (row === rows) dead++;
  }
  if (dead < DEAD_SHARE * columns) return [];
  return [{
    kind: "dead units",
    where: name,
    message: `${dead} of ${columns} ReLU units of ${name} are dead: 0 on all of ${rows} training rows, ` +
      "so that no gradient reaches their weights",
    fix: "lower the learning rate, or take activation leaky-relu",
  }];
}

function explodingGradient(weights: readonly SeenWeights[]): Finding[] {
  const norms = weights.map(({ name, weightGradient }) => ({ name, norm: normOf(weightGradient.data) }));
  const norm = Math.hypot(...norms.map(({ norm }) => norm));
  if (!(norm > EXPLODING_NORM && norm < Infinity)) return [];
  const largest = norms.toSorted((a, b) => b.norm - a.norm)[0];
  return [{
    kind: "exploding gradient",
    where: "",
    message: `the gradient explodes: its norm is ${round(norm)}, that of ${largest.name} alone ${round(largest.norm)}`,
    fix: "lower the learning rate, clip to a norm of 1, take init kaiming, or scale the targets",
  }];
}

function vanishingGradient(weights: readonly SeenWeights[]): Finding[] {
  if (weights.length < 2) return [];
  const size = ({ data }: SeenMatrix) => normOf(data) / Math.sqrt(data.length);
  const first = weights[0];
  const last = weights.at(-1)!;
  const from = size(first.weightGradient);
  const to = size(last.weightGradient);
  if (!(from < VANISHING_RATIO * to && to < Infinity)) return [];
  return [{
    kind: "vanishing gradient",
    where: first.name,
    message: `the gradient vanishes on its way back: ${round(from)} an element in ${first.name}, ${
      round(to)
    } in ${last.name}`,
    fix: "take activation relu or leaky-relu, init kaiming, or fewer layers",
  }];
}

function overfitting({ train, validation, lowest, lowestEpoch, firstTrain }: LossHistory): Finding[] {
  const isFar = validation > OVERFITTING_RATIO * train && validation > OVERFITTING_RISE * lowest &&
    validation - train > OVERFITTING_GAP * firstTrain;
  if (!isFar) return [];
  return [{
    kind: "overfitting",
    where: "",
    message: `the validation loss ${round(validation)} is far above the training loss ${round(train)}; ` +
      `its lowest was ${round(lowest)}, in epoch ${lowestEpoch}`,
    fix: "take more rows, a smaller network, dropout or weight decay, or stop early with a patience",
  }];
}

/** Root mean square of a column. */
function sizeOf(data: ArrayLike<number>, rows: number, column: number, columns: number): number {
  let squares = 0;
  for (let row = 0; row < rows; row++) squares += data[row * columns + column] ** 2;
  return Math.sqrt(squares / rows);
}

function normOf(data: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < data.length; i++) squares += data[i] ** 2;
  return Math.sqrt(squares);
}

function round(value: number): string {
  return String(Number(value.toPrecision(3)));
}
