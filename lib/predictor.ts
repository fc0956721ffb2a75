/**
 * Predictions for any number of rows, in chunks through one recorded forward pass and with one wait.
 *
 * @module
 */
import type { Model } from "./model.ts";
import type { Recording } from "./recording.ts";
import { formatShape } from "./shape.ts";
import { Tensor } from "./tensor.ts";

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
  readonly #recording: Recording;
  #input!: Tensor;
  #output!: Tensor;

  /**
   * Records the forward pass of one chunk.
   *
   * @param model The model.
   * @param inputs Values in a row.
   * @param rows Rows that will be asked for at most, so that a small job gets a small chunk.
   */
  constructor(model: Model, inputs: number, rows: number) {
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
    const { device } = x, [chunk, inputs] = this.#input.shape, outputs = this.#output.shape[1];
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
    return await predictions.read() as Float32Array;
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
