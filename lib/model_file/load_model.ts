/**
 * A model from its file, asked with rows as objects.
 *
 * @module
 */
import { CellError } from "../data/cells.ts";
import { Device } from "../gpu/device.ts";
import { showJson } from "../base/printable.ts";
import { type ModelDescription, SavedModel } from "./saved_model.ts";
import type { Table } from "../data/table.ts";
import { TableEncoder, type UnseenNames } from "../data/table_encoder.ts";
import { targetNames } from "../data/table_json.ts";

/** A cell: a number or a text; a missing one is null, undefined, NaN or a text such as "NA". */
export type Cell = number | string | boolean | null | undefined;

/** A row: cells by the names of their columns. */
export type Row = Readonly<Record<string, Cell>>;

/** A predicted class. */
export interface ClassPrediction {
  /** The most probable class; of equal ones the first. Of two classes the threshold decides, if the model has one. */
  readonly class: string;
  /** The probability of each class, by name; they add up to 1. */
  readonly probabilities: Readonly<Record<string, number>>;
}

/** Of one numeric target its value in raw units, of several their values by name, of classes the class. */
export type Prediction = number | Readonly<Record<string, number>> | ClassPrediction;

/**
 * Reads a model that `deno task train` or {@linkcode saveModel} wrote.
 *
 * @param path The file.
 * @param device Where it will run; if left out, one that is freed with the model.
 * @returns The model; free it with `dispose` or `using`.
 * @throws {DataError} If the file is no such model, or its parts do not fit together.
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {DeviceError} If there is no device.
 *
 * @example
 * ```ts
 * import { Device, Linear, type LoadedModel, loadModel, Model, mse, numericTable, saveModel, Scaler } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * await Deno.mkdir("data", { recursive: true });
 * {
 *   using device = await Device.request();
 *   using net = new Model(device, [new Linear(2, 1)]);
 *   net.load({ "0.weight": [[10], [1]], "0.bias": [0] });
 *   const table = numericTable(["rooms", "age"], ["price"]), features = ["rooms", "age"], targets = ["price"];
 *   const none = (names: string[]) =>
 *     new Scaler("none", names.map((name) => ({ name, min: 0, max: 1, mean: 0, deviation: 1 })));
 *   const scalers = { inputs: none(features), targets: none(targets) };
 *   await saveModel("data/house.safetensors", net, { table, features, targets, scalers, loss: mse, settings: {} });
 * }
 * using model: LoadedModel = await loadModel("data/house.safetensors");
 * assertEquals(await model.predict([{ age: 3, rooms: 4 }, { rooms: "2", age: 1 }]), [43, 21]);
 * await Deno.remove("data/house.safetensors");
 * ```
 */
export async function loadModel(path: string, device?: Device): Promise<LoadedModel> {
  if (device) return new LoadedModel(await SavedModel.load(device, path));
  using stack = new DisposableStack();
  const own = stack.use(await Device.request({ smallDispatches: true }));
  const saved = await SavedModel.load(own, path);
  const freed = stack.move();
  return new LoadedModel(saved, freed);
}

/**
 * A model that takes rows of its table; {@linkcode loadModel} reads it from a file, and shows how it predicts.
 */
export class LoadedModel implements Disposable {
  /** The network, which takes encoded rows. */
  readonly saved: SavedModel;
  readonly #rows: RowEncoder;
  readonly #stack: DisposableStack;

  /**
   * Takes over a model.
   *
   * @param saved The model; it is freed with this one.
   * @param stack What else is freed with it, after it.
   */
  constructor(saved: SavedModel, stack: DisposableStack = new DisposableStack()) {
    this.saved = saved;
    this.#rows = new RowEncoder(saved.description.table);
    this.#stack = stack;
    stack.use(saved);
  }

  /** What it predicts, from what. */
  get description(): ModelDescription {
    return this.saved.description;
  }

  /**
   * Names that training did not see, by column, among all rows that the model was asked about so far: how many cells hold such
   * a name, and the first few names. The model learned nothing about them, so its predictions for these rows are less sure.
   */
  get unseen(): readonly UnseenNames[] {
    return this.#rows.encoder.unseen;
  }

  /**
   * Predicts in raw units, or classes with their probabilities.
   *
   * @param rows Rows with a cell for each input column of the table; the target's cells may be there, and are not looked at.
   * @param firstRow Number of the first of them, for messages.
   * @returns A prediction per row.
   * @throws {TypeError} Naming the columns, if a row has unknown ones or lacks some.
   * @throws {SyntaxError} Naming row, column and cell, if one is missing and nothing stands in for it, or is no number.
   * @throws {RangeError} If an input, scaled, or a prediction is beyond float32.
   */
  async predict(rows: readonly Row[], firstRow: number = 1): Promise<Prediction[]> {
    const encoded = this.#rows.encode(rows, firstRow);
    return toPredictions(await this.saved.predict(encoded, firstRow), this.description);
  }

  /** Frees the model, and the device if it is its own. */
  dispose(): void {
    this.#stack.dispose();
  }

  /** The same as {@linkcode LoadedModel.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** What a model's numbers say. */
export function toPredictions(
  predicted: ArrayLike<number>,
  { table, targets, output }: Pick<ModelDescription, "table" | "targets" | "output">,
): Prediction[] {
  const { target } = table;
  const threshold = output?.threshold ?? (targets.length === 1 ? 0.5 : undefined);
  const width = targets.length;
  return Array.from({ length: predicted.length / width }, (_, row) => {
    const values = targets.map((_, i) => predicted[row * width + i]);
    if (target.kind === "numeric") {
      return width === 1 ? values[0] : Object.fromEntries(targets.map((name, i) => [name, values[i]]));
    }
    const shares = width === 1 ? [1 - values[0], values[0]] : values;
    const { classes } = target;
    // As evaluations count it: a probability that is the threshold is of the second class.
    const best = threshold === undefined ? shares.indexOf(Math.max(...shares)) : Number(shares[1] >= threshold);
    return { class: classes[best], probabilities: Object.fromEntries(classes.map((name, i) => [name, shares[i]])) };
  });
}

/** Makes network inputs of rows that are objects. */
export class RowEncoder {
  /** Encodes the cells. It counts the names that training did not see. */
  readonly encoder: TableEncoder;
  readonly #inputs: readonly string[];
  readonly #kept: readonly string[];
  readonly #known: ReadonlySet<string>;

  /** Takes the table, and the names of other columns that each row has. */
  constructor(table: Table, kept: readonly string[] = []) {
    this.encoder = new TableEncoder(table);
    this.#inputs = table.inputs.map(({ name }) => name);
    this.#kept = kept;
    this.#known = new Set([...this.#inputs, ...kept, ...targetNames(table.target)]);
  }

  /** Network inputs [rows, features] in raw units. Throws what {@linkcode LoadedModel.predict} does. */
  encode(rows: readonly Row[], firstRow: number): Float64Array {
    const width = this.encoder.names.length;
    const out = new Float64Array(rows.length * width);
    rows.forEach((row, i) => {
      try {
        out.set(this.encodeRow(row), i * width);
      } catch (error) {
        if (!(error instanceof CellError || error instanceof TypeError)) throw error;
        const kind = error instanceof CellError ? SyntaxError : TypeError;
        throw new kind(`Cannot predict row ${firstRow + i}: ${error.message}`, { cause: error });
      }
    });
    return out;
  }

  /** Network inputs [features] of one row. Throws a TypeError that names columns, or a CellError. */
  encodeRow(row: Row): Float64Array {
    this.#checkColumns(row);
    const out = new Float64Array(this.encoder.names.length);
    this.encoder.encode(this.#inputs.map((name) => textOf(row[name], name)), out, 0);
    return out;
  }

  #checkColumns(row: Row): void {
    if (typeof row !== "object" || row === null || Array.isArray(row)) {
      throw new TypeError(`it is no object with cells by column, such as {${JSON.stringify(this.#inputs[0])}: 1}`);
    }
    const unknown = Object.keys(row).filter((name) => !this.#known.has(name));
    const missing = this.#inputs.filter((name) => !Object.hasOwn(row, name));
    const lost = this.#kept.filter((name) => !Object.hasOwn(row, name) && !missing.includes(name));
    if (unknown.length + missing.length + lost.length === 0) return;
    const faults = [
      ...(missing.length > 0 ? [`it lacks ${quoted(missing)}`] : []),
      ...(unknown.length > 0 ? [`there is no column ${quoted(unknown)}`] : []),
      ...(lost.length > 0 ? [`it has no ${quoted(lost)} to keep, only ${quoted(Object.keys(row))}`] : []),
    ];
    throw new TypeError(`${faults.join(", and ")}; the columns are ${quoted(this.#inputs)}`);
  }
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(", ");
}

function textOf(cell: unknown, column: string): string | undefined {
  if (cell === null || cell === undefined || Number.isNaN(cell)) return undefined;
  if (typeof cell === "string" || typeof cell === "number" || typeof cell === "boolean") return `${cell}`;
  throw new CellError(
    `a cell is a number or a text, not ${typeof cell === "object" ? showJson(cell) : typeof cell}`,
    column,
  );
}
