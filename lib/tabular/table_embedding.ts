/**
 * The layer between the columns of a table and a network: numbers become several values each, the numbers of categories become
 * one-hot values or trained rows. It stands first.
 *
 * Why each backward is as it is: [README.md](README.md).
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import type { Random } from "../base/random.ts";
import { forwardValue, type Layer, Parameter } from "../core/layer.ts";
import { Tensor } from "../core/tensor.ts";
import type { Device } from "../gpu/device.ts";
import { BINS, checkColumns, type EmbeddedColumn, NONE, type NumericEmbedding, widthOf } from "./columns.ts";
import { type ReferenceLayer, ReferenceTableEmbedding } from "../reference/mod.ts";

export { BINS, type EmbeddedColumn, NUMERIC_EMBEDDINGS, type NumericEmbedding } from "./columns.ts";

/** What a {@linkcode TableEmbedding} is made with. */
export interface TableEmbeddingOptions {
  /** The columns, in the order of the values of a row. */
  readonly columns: readonly EmbeddedColumn[];
  /** What becomes of numbers; `none` by default. */
  readonly numbers?: NumericEmbedding;
  /** How many networks side by side; 1 by default. */
  readonly members?: number;
}

/** Waves of a number, and mixes of them. */
export const WAVES = 16;
export const MIXES = 3;

/** Rows that an invocation of waves goes through: it loads its parameters once, which takes as long as these rows. */
const WAVE_ROWS = 32;

/** Rows that an invocation of names goes through, and values of each: it loads what it knows of its column once. */
const NAMES_EACH = 8;

/** Values that a number becomes. */
const VALUES: Record<NumericEmbedding, number> = { none: 1, pbld: 1 + MIXES, piecewise: BINS };

/** Where everything is, on the GPU. */
interface Placed extends Disposable {
  readonly places: Tensor;
  readonly edges: Tensor;
  readonly columns: Tensor;
  readonly shares: Tensor;
}

/**
 * Takes rows of a table, one value a column, to the inputs of a network.
 *
 * - A number x becomes under `pbld` four values: x, and `sum over 16 waves f of mix[f, k] cos(2 pi frequency_f x + phase_f) + bias_k`
 *   for k = 1, 2, 3; each column has waves and mixes of its own, which are trained (periodic bias linear dense embedding,
 *   Holzmueller et al. 2024, after Gorishniy et al. 2022). Under `piecewise` it becomes 16 values, by bins between quantiles
 *   (Gorishniy et al. 2022). Under `none` it stays x.
 * - The number of a category becomes one-hot values, or the trained row of the category.
 *
 * Output: the values of the columns, in order. The gradient of a category's number is 0.
 *
 * @example
 * ```ts
 * import { Device, type EmbeddedColumn, Model, NUMERIC_EMBEDDINGS, type NumericEmbedding, TableEmbedding } from "@backhand/backhand";
 * import { type TableEmbeddingOptions, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * const color: EmbeddedColumn = { kind: "names", names: 2, shares: [0.75, 0.25] };
 * const numbers: NumericEmbedding = "none";
 * const options: TableEmbeddingOptions = { columns: [{ kind: "number" }, color], numbers };
 * using model = new Model(device, [new TableEmbedding(options)]);
 * using x = Tensor.from(device, [[7, 1], [8, 2]]); // 2: a color that was never seen
 * using y = device.tidy(() => model.forward(x));
 * assertEquals([...await y.read()], [7, 0, 1, 8, 0.75, 0.25]);
 * assertEquals(NUMERIC_EMBEDDINGS, ["none", "pbld", "piecewise"]);
 * ```
 */
export class TableEmbedding implements Layer {
  readonly kind = "TableEmbedding";
  readonly settings: Readonly<{ columns: readonly EmbeddedColumn[]; numbers: NumericEmbedding }>;
  readonly parameters: readonly Parameter[];
  readonly members: number;
  readonly inputs: number;
  /** How many values each column becomes. */
  readonly widths: readonly number[];
  /** Values in a row of its output. */
  readonly outputs: number;
  /** Under `pbld`: frequency and phase of each wave [members * numbers * 16, 2]. */
  readonly waves: Parameter | undefined;
  /** Under `pbld`: the mixes of the waves, the bias as a last one [members * numbers * 17, 3]. */
  readonly mix: Parameter | undefined;
  /** Where columns have trained rows: those of each category [members * rows, width]. */
  readonly table: Parameter | undefined;
  /** Loop iterations of an invocation: the software adapter silently ends it after 65,535. Checks set fewer. */
  protected readonly maxLoop: number = 32_768;
  readonly #places: number[] = [];
  readonly #names: number[] = [];
  readonly #shares: number[] = [];
  /** Most names of a column with trained rows, and most values of a column of names. */
  readonly #longest: number = 0;
  readonly #widest: number = 0;
  readonly #tableRows: number = 0;
  #placed: Placed | undefined;
  #x: Tensor | undefined;

  /**
   * Describes the layer; its parameters have no place on a GPU yet.
   *
   * @throws {RangeError} If a column has no categories, edges are missing or fall, shares are not one a category, or trained rows
   * differ in width.
   */
  constructor({ columns, numbers = "none", members = 1 }: TableEmbeddingOptions) {
    checkColumns(columns, numbers);
    this.settings = { columns, numbers };
    this.members = members;
    this.inputs = columns.length;
    this.widths = columns.map((column) => column.kind === "number" ? VALUES[numbers] : column.width ?? column.names);
    let place = 0;
    for (const [i, column] of columns.entries()) {
      if (column.kind === "number") {
        this.#places.push(i, place);
        place += this.widths[i];
        continue;
      }
      const { names, width, shares } = column;
      this.#names.push(i, place, names, width ? this.#tableRows : NONE, shares ? this.#shares.length : NONE);
      this.#shares.push(...shares ?? []);
      if (width) this.#tableRows += names;
      if (width) this.#longest = Math.max(this.#longest, names);
      this.#widest = Math.max(this.#widest, this.widths[i]);
      place += this.widths[i];
    }
    this.outputs = place;
    const count = members * this.#places.length / 2;
    const width = widthOf(columns);
    if (numbers === "pbld" && count > 0) {
      this.waves = new Parameter("waves", [count * WAVES, 2], (random) => drawWaves(random, count * WAVES));
      this.mix = new Parameter("mix", [count * (WAVES + 1), MIXES], (random) => drawMix(random, count));
    }
    if (this.#tableRows > 0) {
      const shape = [members * this.#tableRows, width];
      this.table = new Parameter("table", shape, (random) => drawTable(random, shape[0], width));
    }
    this.parameters = [this.waves, this.mix, this.table].filter((parameter) => parameter !== undefined);
  }

  outputSize(inputs: number): number {
    if (inputs === this.inputs) return this.outputs;
    throw new TypeError(`Cannot feed ${inputs} values a row to a TableEmbedding of ${this.inputs} columns`);
  }

  /** Puts its lists of columns on the GPU; the model frees them. */
  place(device: Device): Disposable {
    const { columns } = this.settings;
    const edges = columns.flatMap((column) => column.kind === "number" ? column.edges ?? [] : []);
    const stack = new DisposableStack();
    // A binding has at least one element.
    const put = (values: Float32Array | Uint32Array) => stack.use(Tensor.constant(device, values));
    this.#placed = {
      places: put(Uint32Array.from(this.#places.length > 0 ? this.#places : [0, 0])),
      edges: put(Float32Array.from(edges.length > 0 ? edges : [0])),
      columns: put(Uint32Array.from(this.#names.length > 0 ? this.#names : [0])),
      shares: put(Float32Array.from(this.#shares.length > 0 ? this.#shares : [0])),
      [Symbol.dispose]: () => stack.dispose(),
    };
    return this.#placed;
  }

  /** Output [members * batch, outputs] of rows [members * batch, columns]. */
  forward(x: Tensor): Tensor {
    this.#x = x;
    const { places, edges, columns, shares } = this.#onGpu;
    const [rows, inputs] = x.shape;
    const { outputs, waves, mix, table } = this;
    const own = rows / this.members;
    const numbers = this.#places.length / 2;
    const names = this.#names.length / 5;
    const out = Tensor.empty(x.device, [rows, outputs]);
    if (waves && mix) {
      const invocations = this.members * numbers * Math.ceil(own / WAVE_ROWS);
      const sizes = [invocations, numbers, this.members, own, WAVE_ROWS, inputs, outputs];
      x.device.run(kernels.waves, { buffers: [x, places, waves.value, mix.value, out], sizes, invocations });
    } else if (numbers > 0) {
      const bins = VALUES[this.settings.numbers];
      const invocations = rows * numbers * bins;
      const sizes = [invocations, numbers, bins, inputs, outputs];
      x.device.run(kernels.bins, { buffers: [x, places, edges, out], sizes, invocations });
    }
    if (names > 0) {
      const each = this.#longest * NAMES_EACH ** 2 > this.maxLoop ? 1 : NAMES_EACH;
      const parts = Math.ceil(rows / each);
      const pieces = Math.ceil(this.#widest / each);
      const invocations = names * parts * pieces;
      const given = [invocations, parts, pieces, each, rows, own, inputs, outputs, this.#tableRows, this.#width];
      const buffers = [x, columns, shares, table?.value ?? shares, out];
      let start = 0;
      do {
        const sizes = [...given, start, start + this.maxLoop];
        x.device.run(kernels.names, { buffers, sizes, invocations });
        start += this.maxLoop;
      } while (start < this.#longest);
    }
    return out;
  }

  /** The gradients of waves, mixes and rows, from `dOut` [members * batch, outputs], and of numbers; 0 for categories. */
  backward(dOut: Tensor, wantDX: boolean): Tensor | undefined {
    const x = forwardValue(this.#x, this);
    if (this.waves && this.mix) this.#wavesBackward(x, dOut, this.waves, this.mix);
    if (this.table) this.#namesBackward(x, dOut, this.table);
    return wantDX ? this.#inputBackward(x, dOut) : undefined;
  }

  #wavesBackward(x: Tensor, dOut: Tensor, waves: Parameter, mix: Parameter): void {
    const { members, outputs } = this;
    const [rows, inputs] = x.shape;
    const own = rows / members;
    const numbers = this.#places.length / 2;
    const invocations = members * numbers;
    const buffers = [x, this.#onGpu.places, waves.value, mix.value, dOut, waves.grad, mix.grad];
    for (let start = 0; start < own; start += this.maxLoop) {
      const sizes = [invocations, numbers, own, inputs, outputs, start, Math.min(own, start + this.maxLoop)];
      x.device.run(kernels.wavesBackward, { buffers, sizes, invocations });
    }
  }

  #namesBackward(x: Tensor, dOut: Tensor, table: Parameter): void {
    const { members, outputs } = this;
    const { columns, shares } = this.#onGpu;
    const [rows, inputs] = x.shape;
    const own = rows / members;
    const width = this.#width;
    const names = this.#names.length / 5;
    const invocations = members * names * width;
    const end = 2 * this.#longest + own;
    const mixed = Tensor.empty(x.device, [invocations]);
    const buffers = [x, columns, shares, dOut, table.grad, mixed];
    const given = [invocations, names, own, inputs, outputs, this.#tableRows, width, this.#longest];
    for (let start = 0; start < end; start += this.maxLoop) {
      const sizes = [...given, start, Math.min(end, start + this.maxLoop)];
      x.device.run(kernels.namesBackward, { buffers, sizes, invocations });
    }
  }

  #inputBackward(x: Tensor, dOut: Tensor): Tensor {
    const { members, outputs, waves, mix } = this;
    const { places, edges } = this.#onGpu;
    const [rows, inputs] = x.shape;
    const dX = Tensor.zeros(x.device, x.shape);
    const numbers = this.#places.length / 2;
    const invocations = rows * numbers;
    if (waves && mix) {
      const sizes = [invocations, numbers, rows / members, inputs, outputs];
      const buffers = [x, places, waves.value, mix.value, dOut, dX];
      x.device.run(kernels.wavesInputBackward, { buffers, sizes, invocations });
    } else if (numbers > 0) {
      const sizes = [invocations, numbers, VALUES[this.settings.numbers], inputs, outputs];
      x.device.run(kernels.binsBackward, { buffers: [x, places, edges, dOut, dX], sizes, invocations });
    }
    return dX;
  }

  reference(): ReferenceLayer {
    return new ReferenceTableEmbedding(this.settings, this.members);
  }

  get #width(): number {
    return this.table?.shape[1] ?? 0;
  }

  get #onGpu(): Placed {
    if (!this.#placed) throw new TypeError("Cannot run a TableEmbedding: it is in no Model yet");
    return this.#placed;
  }
}

function drawWaves(random: Random, count: number): Float32Array<ArrayBuffer> {
  const waves = Array.from({ length: count }, () => [random.normal(0, 0.1), random.uniform(-Math.PI, Math.PI)]);
  return Float32Array.from(waves.flat());
}

function drawMix(random: Random, count: number): Float32Array<ArrayBuffer> {
  const size = (WAVES + 1) * MIXES;
  const draw = (i: number) => i % size < WAVES * MIXES ? random.uniform(-0.25, 0.25) : 0;
  return Float32Array.from({ length: count * size }, (_, i) => draw(i));
}

function drawTable(random: Random, rows: number, width: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: rows * width }, () => random.normal(0, 1 / Math.sqrt(width)));
}
