/**
 * Dropout of whole columns of a table.
 *
 * @module
 */
import { kernels } from "../../kernels/mod.ts";
import { Dropout, type DropoutOptions, hashesBelow } from "../core/dropout.ts";
import type { Device } from "../gpu/device.ts";
import { Tensor } from "../core/tensor.ts";

/** What a {@linkcode ColumnDropout} is made with. */
export interface ColumnDropoutOptions {
  /** How many values each column has, in order. */
  readonly widths: readonly number[];
  /** Fixes the masks, together with the layer's number in its model; 0 by default. */
  readonly seed?: number;
}

/**
 * `Dropout` that drops all values of a column together: for a row, a network then has to do without that column. It stands
 * after a {@linkcode TableEmbedding}. In evaluation nothing happens.
 *
 * @example
 * ```ts
 * import { ColumnDropout, type ColumnDropoutOptions, Device, Model, Tensor } from "@backhand/backhand";
 * import { assert } from "@std/assert";
 * using device = await Device.request();
 * const options: ColumnDropoutOptions = { widths: [2, 1], seed: 1 };
 * using model = new Model(device, [new ColumnDropout(0.5, options)]);
 * using x = Tensor.from(device, Array.from({ length: 50 }, () => [1, 1, 1]));
 * using y = device.tidy(() => model.forward(x, { training: true }));
 * const values = await y.read();
 * assert(values.every((value, i) => i % 3 !== 1 || value === values[i - 1])); // the first two go together
 * assert(new Set(values).size === 2);
 * ```
 */
export class ColumnDropout extends Dropout {
  override readonly kind: string = "ColumnDropout";
  override readonly settings: Readonly<{ rate: number; seed: number; widths: readonly number[] }>;
  /** Values in a row. */
  readonly inputs: number;
  #columnOf: Tensor | undefined;

  /**
   * Describes the layer.
   *
   * @param rate Share of the columns that are dropped, from 0 to less than 1.
   * @throws {RangeError} If rate or seed are out of range, or a width is no whole number from 1 on.
   */
  constructor(rate: number, { widths, seed = 0 }: ColumnDropoutOptions) {
    super(rate, { seed });
    if (widths.length === 0 || !widths.every((width) => Number.isSafeInteger(width) && width >= 1)) {
      throw new RangeError(`Cannot drop columns of ${widths.join(", ")} values: need whole numbers from 1 on`);
    }
    this.settings = { rate, seed, widths };
    this.inputs = widths.reduce((sum, width) => sum + width, 0);
  }

  override outputSize(inputs: number): number {
    if (inputs === this.inputs) return inputs;
    throw new TypeError(`Cannot feed ${inputs} values a row to a ColumnDropout: its columns have ${this.inputs}`);
  }

  override place(device: Device, number: number): Disposable {
    const stack = new DisposableStack();
    stack.use(super.place(device, number));
    this.#columnOf = stack.use(Tensor.constant(device, Uint32Array.from(this.columnOf)));
    return stack;
  }

  protected override get columnOf(): readonly number[] {
    return this.settings.widths.flatMap((width, column) => new Array<number>(width).fill(column));
  }

  protected override drop(x: Tensor, { rate, key, step }: DropoutOptions): Tensor {
    const { widths } = this.settings;
    const out = Tensor.empty(x.device, x.shape);
    const sizes = [x.size, this.inputs, widths.length, key, hashesBelow(rate)];
    const buffers = [x, this.#columnOf!, step, out];
    x.device.run(kernels.columnDropout, { buffers, sizes, reals: [1 / (1 - rate)], invocations: x.size });
    return out;
  }
}
