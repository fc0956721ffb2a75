/**
 * Predictions for any number of rows, in chunks through one recorded forward pass and with one wait.
 *
 * @module
 */
import type { Device } from "../gpu/device.ts";
import { combineMembers } from "./combine.ts";
import type { Model } from "../core/model.ts";
import type { Recording } from "../gpu/recording.ts";
import type { RowBlock, RowSource } from "../data/row_source.ts";
import { formatShape } from "../base/shape.ts";
import { MOST_ROWS } from "../gpu/dispatch.ts";
import { Tensor } from "../core/tensor.ts";

/** What a model puts out. */
export interface PredictedRows {
  /** Its output [rows, out], row by row; of several members as `combineMembers` makes it, when it is first asked for. */
  readonly output: Float32Array;
  /** What each of its members puts out [members * rows, out], one member after the other. */
  readonly own: Float32Array;
}

/** Elements of the widest activation of a chunk: enough for a GPU to be busy, little enough for any device. */
const CHUNK_ELEMENTS = 1 << 20;

/**
 * Runs a model's forward pass over many rows. It sees the weights that the model has at each call. The members of a model all
 * see the same rows.
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
  readonly #members: number;
  readonly #kind: string;
  readonly #recording: Recording;
  /** Rows of a chunk, of one member. */
  readonly #chunk: number;
  #input!: Tensor;
  #output!: Tensor;

  /**
   * Records the forward pass of one chunk.
   *
   * @param model What predicts.
   * @param inputs Values in a row.
   * @param rows Rows that will be asked for at most, so that a small job gets a small chunk.
   * @param kind The kind of the loss that a model of several members was trained with: their outputs are combined by it.
   * @throws {TypeError} If rows of so many values do not fit the model, or it has members and the kind is not given.
   */
  constructor(model: Model, inputs: number, rows: number, kind: string = "") {
    if (model.members > 1 && kind === "") {
      throw new TypeError(`Cannot combine ${model.members} members: give the kind of their loss, such as "mse"`);
    }
    this.device = model.device;
    this.#members = model.members;
    this.#kind = kind;
    const widths = [inputs];
    for (const layer of model.layers) widths.push(layer.outputSize(widths.at(-1)!));
    const chunk = Math.floor(CHUNK_ELEMENTS / widths.reduce((a, b) => Math.max(a, b)) / model.members);
    this.#chunk = Math.max(1, Math.min(chunk, Math.floor(MOST_ROWS / model.members), rows));
    this.#recording = model.device.record(() => {
      this.#input = Tensor.zeros(model.device, [model.members * this.#chunk, inputs]);
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
    return (await this.predictEach(x)).output;
  }

  /**
   * The same, with what each member puts out.
   *
   * @param x Rows [n, in] on the GPU.
   * @throws {TypeError} If the rows have another length than the model takes.
   * @throws {DeviceError} If the GPU reported a fault.
   */
  async predictEach(x: Tensor): Promise<PredictedRows> {
    const inputs = this.#input.shape[1];
    const outputs = this.#output.shape[1];
    if (x.shape.length !== 2 || x.shape[1] !== inputs) {
      throw new TypeError(`Cannot predict from x ${formatShape(x.shape)}: need [rows, ${inputs}]`);
    }
    const rows = x.shape[0];
    using predictions = Tensor.zeros(this.device, [this.#members * rows, outputs]);
    for (let row = 0; row < rows; row += this.#chunk) {
      const count = Math.min(this.#chunk, rows - row);
      for (let member = 0; member < this.#members; member++) {
        this.#copyRows(x, row, this.#input, member * this.#chunk, count);
      }
      this.#recording.replay();
      for (let member = 0; member < this.#members; member++) {
        this.#copyRows(this.#output, member * this.#chunk, predictions, member * rows + row, count);
      }
    }
    const own = await predictions.read() as Float32Array;
    const members = this.#members;
    if (members === 1) return { output: own, own };
    const kind = this.#kind;
    let combined: Float32Array | undefined;
    return {
      own,
      get output() {
        return combined ??= Float32Array.from(combineMembers(own, members, outputs, kind));
      },
    };
  }

  /**
   * The model's output for each row of a source, block by block in constant memory; the next block is read while the GPU
   * works on one. The weights must stay as they are until the last block is there.
   *
   * @param source The rows.
   * @returns Predictions of each block, of its members too, with its targets.
   * @throws {TypeError} If the rows have another length than the model takes.
   * @throws {DeviceError} If the GPU reported a fault.
   * @throws What the source throws.
   */
  async *predictBlocks(source: RowSource): AsyncGenerator<PredictedRows & { y: Float32Array }, void> {
    const { rows, inputs, targets } = source;
    const widest = Math.max(inputs, targets, this.#members * this.#output.shape[1]);
    const blockRows = Math.max(1, Math.floor(CHUNK_ELEMENTS / widest));
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
        const { output, own } = await this.predictEach(x);
        yield { output, own, y: block.y };
      }
    } finally {
      await next?.catch(() => {}); // whoever leaves early may close the source
    }
  }

  #copyRows(from: Tensor, fromRow: number, to: Tensor, toRow: number, count: number): void {
    const width = from.shape[1];
    const shape = [count, width];
    this.device.copy(from.view(fromRow * width, shape), to.view(toRow * width, shape));
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
