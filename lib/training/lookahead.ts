/**
 * A look at the step that comes next: its forward and backward passes, one operation at a time, and each tensor that they
 * make measured where it lies. Training goes on as if nobody had looked: no parameter changes, the gradients of the step
 * before are put back, and the masks of dropout are those that the step itself will draw.
 *
 * @module
 */
import type { Recording } from "../gpu/recording.ts";
import type { Shape } from "../base/shape.ts";
import { Tensor } from "../core/tensor.ts";
import { measure, type TensorStatistics, toStatistics } from "./tensor_statistics.ts";
import type { TrainerOptions } from "./trainer_options.ts";
import type { TrainingStep } from "./training_step.ts";

/** A tensor of a step. */
export interface MeasuredTensor extends TensorStatistics {
  /** `z1`, `a1` ... `loss`, `grad_logits`, `grad_weight_2` ..., as an `Observer` is told. */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
}

/** The passes over a number of rows. */
interface Recorded {
  readonly recording: Recording;
  readonly seen: readonly { readonly name: string; readonly shape: Shape; readonly size: number }[];
  readonly records: Tensor;
}

/** Looks at steps of one training. */
export class StepLook implements Disposable {
  readonly #training: TrainingStep;
  /** What the passes change, and where it is kept meanwhile. */
  readonly #changed: readonly { readonly tensor: Tensor; readonly kept: Tensor }[];
  readonly #recorded = new Map<number, Recorded>();

  /** Makes room for what is put back; nothing runs yet. */
  constructor({ model: { device, gradients, layers } }: TrainerOptions, training: TrainingStep) {
    this.#training = training;
    const changed = [gradients, ...layers.flatMap(({ counters = {} }) => Object.values(counters))];
    this.#changed = changed.map((tensor) => ({ tensor, kept: Tensor.zeros(device, tensor.shape, tensor.dtype) }));
  }

  /**
   * Looks at the step that the counter on the GPU names. All work is on the queue before the promise is returned.
   *
   * @throws {DeviceError} If the GPU reported a fault.
   */
  async take(rows: number): Promise<MeasuredTensor[]> {
    const recorded = this.#recorded.get(rows) ?? this.#record(rows);
    const { recording, seen, records } = recorded;
    this.#recorded.set(rows, recorded);
    const { device } = records;
    for (const { tensor, kept } of this.#changed) device.copy(tensor, kept);
    recording.replay();
    for (const { tensor, kept } of this.#changed) device.copy(kept, tensor);
    const measures = toStatistics(await records.read(), seen);
    return seen.map(({ name, shape }, i) => ({ name, shape, ...measures[i] }));
  }

  #record(rows: number): Recorded {
    const { device } = this.#changed[0].tensor;
    const seen: Tensor[] = [];
    const names: string[] = [];
    let records: Tensor;
    const recording = device.record(() => {
      this.#training.look(rows, (name, tensor) => {
        names.push(name);
        seen.push(tensor);
      });
      records = measure(seen);
    });
    return { recording, seen: seen.map(({ shape, size }, i) => ({ name: names[i], shape, size })), records: records! };
  }

  /** Frees what it keeps. */
  dispose(): void {
    for (const { kept } of this.#changed) kept.dispose();
    for (const { recording } of this.#recorded.values()) recording.dispose();
  }

  /** The same as {@linkcode StepLook.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
