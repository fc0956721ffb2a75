/**
 * What a training step does, as a trainer records it: forward, loss, backward, update, on the rows that a counter on the GPU
 * names.
 *
 * @module
 */
import { clipByNorm } from "./clipping.ts";
import { advance } from "../core/dropout.ts";
import type { Observer } from "../core/model.ts";
import { scale } from "../core/elementwise.ts";
import { append, gatherRows } from "./recorded_rows.ts";
import type { RowWindows } from "./row_windows.ts";
import { StepRates } from "./step_rates.ts";
import { ELEMENT_BYTES, Tensor } from "../core/tensor.ts";
import type { Batch, TrainerOptions } from "./trainer_options.ts";
import { planWholeStep, runWholeStep } from "./whole_step.ts";

/** The step, and what it leaves behind for the next one. */
export class TrainingStep implements Disposable {
  /** Loss of each step on the window in place [steps]. */
  readonly losses: Tensor;
  readonly #options: TrainerOptions;
  readonly #windows: RowWindows;
  readonly #stride: number;
  /** Which step on the window is next. */
  readonly #cursor: Tensor;
  readonly #rates: StepRates | undefined;

  /** Makes its buffers. */
  constructor(options: TrainerOptions, windows: RowWindows, stride: number) {
    const { model: { device }, learningRates } = options;
    this.#options = options;
    this.#windows = windows;
    this.#stride = stride;
    this.#cursor = Tensor.zeros(device, [1], "u32");
    this.losses = Tensor.zeros(device, [windows.plan.stepsPerWindow]);
    this.#rates = learningRates && new StepRates(this.losses, learningRates);
  }

  /**
   * Makes a step on a window the next one, behind all that is on the queue.
   *
   * @throws {RangeError} If the learning rate of one of them is out of range.
   */
  begin(firstStep: number, steps: number, start: number): void {
    this.#rates?.write(firstStep, steps);
    this.#cursor.write(Uint32Array.of(start));
  }

  /** One step, each operation by itself. */
  run(rows: number, observe?: Observer): Batch {
    const { loss, ...batch } = this.look(rows, observe);
    this.update(loss);
    return batch;
  }

  /** The first half of a step: its gradients, and its loss. */
  gradients(rows: number, loss: Tensor, onGradient: (place: number) => void): void {
    const { gradients } = this.#options.model;
    const made = this.look(rows, (_, { buffer, byteOffset }) => {
      if (buffer === gradients.buffer) onGradient((byteOffset - gradients.byteOffset) / ELEMENT_BYTES);
    });
    scale(made.loss, 1, { out: loss });
  }

  /** A step that has no rows for this rank: only what layers count goes on. */
  skip(): void {
    for (const { counters = {} } of this.#options.model.layers) Object.values(counters).forEach(advance);
  }

  /** The second half: the update by the gradients that are there. */
  update(loss: Tensor): void {
    this.#rates?.take(this.#cursor, this.#options.optimizer.rate);
    this.#update();
    append(loss, this.losses, this.#cursor);
  }

  /** The step up to its gradients: no parameter changes, and the same step comes next. */
  look(rows: number, observe?: Observer): Batch & { readonly loss: Tensor } {
    const { model, loss } = this.#options;
    const { x, y, order } = this.#windows;
    const batch = { count: rows, cursor: this.#cursor, stride: this.#stride };
    const inputs = gatherRows(x, order, batch);
    const targets = gatherRows(y, order, batch);

    const prediction = model.forward(inputs, { training: true, observe });
    const { loss: lossValue, dPrediction } = loss.forwardBackward(prediction, targets);
    observe?.("loss", lossValue);
    observe?.("grad_logits", dPrediction);
    model.backward(dPrediction, { observe });
    return { x: inputs, y: targets, loss: lossValue };
  }

  /** The same step with all but the update in one kernel, where it fits. */
  runWhole(rows: number): void {
    const { model, loss, optimizer, plain } = this.#options;
    const { x, y, order } = this.#windows;
    const stride = this.#stride;
    const plan = plain ? undefined : planWholeStep(model, loss, { rows, inputs: x.shape[1], outputs: y.shape[1] });
    if (!plan) return void this.run(rows);
    this.#rates?.take(this.#cursor, optimizer.rate);
    runWholeStep(plan, { x, y, order, cursor: this.#cursor, losses: this.losses, stride });
    this.#update();
  }

  #update(): void {
    const { model, optimizer, clipNorm } = this.#options;
    if (clipNorm !== undefined) clipByNorm(model.gradients, clipNorm);
    optimizer.step();
  }

  /** Frees its buffers. */
  dispose(): void {
    for (const part of [this.#cursor, this.losses, this.#rates]) part?.dispose();
  }

  /** The same as {@linkcode TrainingStep.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
