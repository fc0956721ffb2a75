/**
 * Predictions for any number of rows, in chunks through one recorded forward pass and with one wait.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import type { Model } from "../core/model.ts";
import type { Recording } from "../gpu/recording.ts";
import type { RowBlock, RowSource } from "../data/row_source.ts";
import { formatShape } from "../base/shape.ts";
import { Tensor } from "../core/tensor.ts";

/** Elements of the widest activation of a chunk: enough for a GPU to be busy, little enough for any device. */
const CHUNK_ELEMENTS = 1 << 20;

/**
 * Runs a model's forward pass over many rows. It sees the weights that the model has at each call.
 *
 * @example
 * ```ts
 * import { Device, Linear, Model, Predictor, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using model = new Model(device, [new Linear(1, 1)]);
 * model.load({ "0.weight": [[2]], "0.bias": [1] });
 * using predictor = new Predictor(model, 1, 3);
 * using x = Tensor.from(device, [[0], [1], [2]]);
 * assertEquals([...await predictor.predict(x)], [1, 3, 5]);
 * ```
 */
export class Predictor implements Disposable {
  /** Where it runs. */
  readonly device: Device;
  readonly #recording: Recording;
  #input!: Tensor;
  #output!: Tensor;

  /**
   * Records the forward pass of one chunk.
   *
   * @param model What predicts.
   * @param inputs Values in a row.
   * @param rows Rows that will be asked for at most, so that a small job gets a small chunk.
   */
  constructor(model: Model, inputs: number, rows: number) {
    this.device = model.device;
    const widths = model.parameters.map(({ parameter }) => parameter.shape.at(-1)!);
    const chunk = Math.floor(CHUNK_ELEMENTS / Math.max(inputs, ...widths));
    this.#recording = model.device.record(() => {
      this.#input = Tensor.zeros(model.device, [Math.max(1, Math.min(chunk, rows)), inputs]);
      this.#output = model.forward(this.#input);
    }, { fuse: true });
  }

  /**
   * The model's output for each row.
   *
   * @param x Rows [n, in] on the GPU.
   * @returns Predictions, n times out values, row by row.
   * @throws {TypeError} If the rows have another length than the model takes.
   * @throws {DeviceError} If the GPU reported a fault.
   */
  async predict(x: Tensor): Promise<Float32Array> {
    const { device } = this;
    const [chunk, inputs] = this.#input.shape;
    const outputs = this.#output.shape[1];
    if (x.shape.length !== 2 || x.shape[1] !== inputs) {
      throw new TypeError(`Cannot predict from x ${formatShape(x.shape)}: need [rows, ${inputs}]`);
    }
    const rows = x.shape[0];
    using predictions = Tensor.zeros(device, [rows, outputs]);
    for (let row = 0; row < rows; row += chunk) {
      const count = Math.min(chunk, rows - row);
      device.copy(x.view(row * inputs, [count, inputs]), this.#input.view(0, [count, inputs]));
      this.#recording.replay();
      device.copy(this.#output.view(0, [count, outputs]), predictions.view(row * outputs, [count, outputs]));
    }
    return await predictions.read();
  }

  /**
   * The model's output for each row of a source, block by block in constant memory; the next block is read while the GPU
   * works on one. The weights must stay as they are until the last block is there.
   *
   * @param source The rows.
   * @returns Predictions of each block, with its targets.
   * @throws {TypeError} If the rows have another length than the model takes.
   * @throws {DeviceError} If the GPU reported a fault.
   * @throws What the source throws.
   */
  async *predictBlocks(source: RowSource): AsyncGenerator<{ output: Float32Array; y: Float32Array }, void> {
    const { rows, inputs, targets } = source;
    const blockRows = Math.max(1, Math.floor(CHUNK_ELEMENTS / Math.max(inputs, targets, this.#output.shape[1])));
    const readFrom = (start: number): Promise<RowBlock> | undefined => {
      if (start >= rows) return undefined;
      const block = source.read(start, Math.min(blockRows, rows - start));
      block.catch(() => {}); // it is awaited in its turn
      return block;
    };
    let next = readFrom(0);
    try {
      for (let start = 0; next; start += blockRows) {
        const block: RowBlock = await next;
        next = readFrom(start + blockRows);
        using x = Tensor.zeros(this.device, [block.x.length / inputs, inputs]);
        this.device.write(x, block.x);
        yield { output: await this.predict(x), y: block.y };
      }
    } finally {
      await next?.catch(() => {}); // whoever leaves early may close the source
    }
  }

  /** Frees what the recording holds. */
  dispose(): void {
    this.#recording.dispose();
  }

  /** The same as {@linkcode Predictor.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
