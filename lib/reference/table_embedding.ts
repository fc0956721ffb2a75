/**
 * The oracle of the layer between a table's columns and a network, in float64.
 *
 * @module
 */
import type { ReferenceLayer } from "./layers.ts";
import { Matrix } from "./matrix.ts";

/** A column as the layer knows it. */
type Column =
  | { readonly kind: "number"; readonly edges?: readonly number[] }
  | { readonly kind: "names"; readonly names: number; readonly width?: number; readonly shares?: readonly number[] };

const WAVES = 16;
const MIXES = 3;
const TURN = 2 * Math.PI;

/** Numbers as waves or bins, names as one-hot values or rows of a table; members each with rows and parameters of their own. */
export class ReferenceTableEmbedding implements ReferenceLayer {
  readonly parameters: Matrix[];
  readonly gradients: Matrix[] = [];
  readonly #columns: readonly Column[];
  readonly #numbers: string;
  readonly #members: number;
  /** Columns of numbers, and rows of the table: of one member. */
  readonly #numberColumns: number;
  readonly #tableRows: number;
  #x!: Matrix;
  /** How close a number of the last forward pass came to where a bin's value bends or jumps. */
  distanceToKink: number = Infinity;

  /** Waves [numbers * 16, 2] and mixes [numbers * 17, 3] under `pbld`, the table of rows where columns have any; each times members. */
  constructor(settings: { readonly columns: readonly Column[]; readonly numbers: string }, members: number) {
    this.#columns = settings.columns;
    this.#numbers = settings.numbers;
    this.#members = members;
    this.#numberColumns = settings.columns.filter(({ kind }) => kind === "number").length;
    this.#tableRows = settings.columns.reduce(
      (sum, column) => sum + (column.kind === "names" && column.width ? column.names : 0),
      0,
    );
    const numbers = members * this.#numberColumns;
    this.parameters = [];
    if (settings.numbers === "pbld" && numbers > 0) {
      this.parameters.push(new Matrix(numbers * WAVES, 2), new Matrix(numbers * (WAVES + 1), MIXES));
    }
    const widths = settings.columns.flatMap((column) => column.kind === "names" ? column.width ?? [] : []);
    if (this.#tableRows > 0) this.parameters.push(new Matrix(members * this.#tableRows, widths[0]));
  }

  /** Each row's columns, one after the other. */
  forward(x: Matrix): Matrix {
    this.#x = x;
    this.distanceToKink = this.#numbers === "piecewise" ? this.#distanceToBends(x) : Infinity;
    const out: number[] = [];
    for (let row = 0; row < x.rows; row++) {
      this.#walk(row, (values) => {
        for (const value of values) out.push(value);
      });
    }
    return new Matrix(x.rows, out.length / x.rows, out);
  }

  /** Gradients of waves, mixes and rows; that of x is 0 for names. */
  backward(dOut: Matrix): Matrix {
    this.parameters.forEach(({ rows, columns }, i) => this.gradients[i] = new Matrix(rows, columns));
    const dX = new Matrix(this.#x.rows, this.#x.columns);
    for (let row = 0; row < dOut.rows; row++) {
      let place = row * dOut.columns;
      this.#walk(row, (values, back, column) => {
        const d = values.map((_, i) => dOut.data[place + i]);
        place += values.length;
        dX.data[row * dX.columns + column] = back(d);
      });
    }
    return dX;
  }

  /** The values of each column of a row; `back` adds to the gradients for a gradient of the values, and gives that of x. */
  #walk(row: number, use: (values: number[], back: (d: number[]) => number, column: number) => void): void {
    const member = Math.floor(row / (this.#x.rows / this.#members));
    let number = member * this.#numberColumns;
    let first = member * this.#tableRows;
    this.#columns.forEach((column, i) => {
      const x = this.#x.data[row * this.#x.columns + i];
      if (column.kind === "number") {
        const own = number++;
        if (this.#numbers === "pbld") return use(...this.#waves(x, own), i);
        if (this.#numbers === "none") return use([x], ([d]) => d, i);
        return use(...binsOf(x, column.edges!), i);
      }
      const { names, width, shares } = column;
      const weights = Array.from({ length: names }, (_, name) => x === names ? shares![name] : Number(x === name));
      if (!width) return use(weights, () => 0, i);
      const start = first * width;
      first += names;
      return use(...this.#rows(weights, start, width), i);
    });
  }

  #distanceToBends(x: Matrix): number {
    const distances = [...x.data].flatMap((value, i) => {
      const column = this.#columns[i % x.columns];
      if (column.kind === "names") return [];
      const edges = column.edges!;
      const [first, second] = edges;
      const [before, last] = edges.slice(-2);
      const bends = [...edges, first - 3 * (second - first), before + 4 * (last - before)];
      return bends.map((bend) => Math.abs(value - bend));
    });
    return Math.min(...distances);
  }

  #waves(x: number, own: number): [number[], (d: number[]) => number] {
    const [{ data: waves }, { data: mix }] = this.parameters;
    const angle = (f: number) => TURN * waves[(own * WAVES + f) * 2] * x + waves[(own * WAVES + f) * 2 + 1];
    const at = (f: number, k: number) => (own * (WAVES + 1) + f) * MIXES + k;
    const values = [x];
    for (let k = 0; k < MIXES; k++) values.push(mix[at(WAVES, k)]);
    for (let f = 0; f < WAVES; f++) {
      const wave = Math.cos(angle(f));
      for (let k = 0; k < MIXES; k++) values[1 + k] += mix[at(f, k)] * wave;
    }
    const back = ([dX, ...d]: number[]) => {
      const [dWaves, dMix] = this.gradients;
      let total = dX;
      for (let k = 0; k < MIXES; k++) dMix.data[at(WAVES, k)] += d[k];
      for (let f = 0; f < WAVES; f++) {
        const dCos = d.reduce((sum, dk, k) => sum + dk * mix[at(f, k)], 0);
        const turned = angle(f);
        const dAngle = -Math.sin(turned) * dCos;
        const cos = Math.cos(turned);
        const wave = (own * WAVES + f) * 2;
        for (let k = 0; k < MIXES; k++) dMix.data[at(f, k)] += d[k] * cos;
        dWaves.data[wave] += dAngle * TURN * x;
        dWaves.data[wave + 1] += dAngle;
        total += dAngle * TURN * waves[wave];
      }
      return total;
    };
    return [values, back];
  }

  #rows(weights: readonly number[], start: number, width: number): [number[], (d: number[]) => number] {
    const { data } = this.parameters.at(-1)!;
    const values = new Array<number>(width).fill(0);
    for (const [name, weight] of weights.entries()) {
      if (weight === 0) continue;
      for (let k = 0; k < width; k++) values[k] += weight * data[start + name * width + k];
    }
    const back = (d: number[]) => {
      const { data: gradient } = this.gradients.at(-1)!;
      weights.forEach((weight, name) => d.forEach((dk, k) => gradient[start + name * width + k] += weight * dk));
      return 0;
    };
    return [values, back];
  }
}

/** A value for each bin between edges; the first goes down to -3, the last up to 4. */
function binsOf(x: number, edges: readonly number[]): [number[], (d: number[]) => number] {
  const bins = edges.length - 1;
  const slopes = new Array<number>(bins).fill(0);
  const values = slopes.map((_, k) => {
    const width = edges[k + 1] - edges[k];
    if (width === 0) return Number(x >= edges[k]);
    const low = k === 0 ? -3 : 0;
    const high = k === bins - 1 ? 4 : 1;
    const value = (x - edges[k]) / width;
    if (value > low && value < high) slopes[k] = 1 / width;
    return Math.min(high, Math.max(low, value));
  });
  return [values, (d) => d.reduce((sum, dk, k) => sum + dk * slopes[k], 0)];
}
