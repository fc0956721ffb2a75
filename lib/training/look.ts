/**
 * The one way to look at the passes of a model. They are recorded and replayed, the chosen tensors are read, and what the
 * passes changed is put back: gradients, and the counters of layers. So training continues as if nobody had looked, bit for
 * bit, and the masks of a dropout are those that the step itself will draw.
 *
 * @module
 */
import type { Model, Observer } from "../core/model.ts";
import type { RecordOptions } from "../gpu/dispatch.ts";
import type { Recording } from "../gpu/recording.ts";
import type { Shape } from "../base/shape.ts";
import { readAll, Tensor, type TensorData } from "../core/tensor.ts";
import { measure, type TensorStatistics, toStatistics } from "./tensor_statistics.ts";
import type { TrainerOptions } from "./trainer_options.ts";
import type { TrainingStep } from "./training_step.ts";

/** A tensor that a pass made. */
export interface SeenTensor {
  /** As an `Observer` is told. */
  readonly name: string;
  readonly tensor: Tensor;
}

/** Chooses the tensors that a look reads, and may compute them. */
type ChooseTensors = (seen: readonly SeenTensor[]) => readonly Tensor[];

/** Looks at passes of one model, as often as asked. */
export class Look implements Disposable {
  /** What the passes make, in order. */
  readonly seen: readonly SeenTensor[];
  readonly #recording: Recording;
  readonly #chosen: readonly Tensor[];
  /** What the passes change, and a copy to put back. */
  readonly #changed: readonly { readonly tensor: Tensor; readonly copy: Tensor }[];
  readonly #owned: DisposableStack;

  /** Records the passes, and after them what `choose` does to get the tensors that are read; nothing runs yet. */
  constructor(
    { device, gradients, layers }: Model,
    passes: (observe: Observer) => void,
    choose: ChooseTensors,
    options: RecordOptions = {},
  ) {
    const seen: SeenTensor[] = [];
    let chosen: readonly Tensor[] = [];
    using stack = new DisposableStack();
    this.#recording = stack.use(device.record(() => {
      passes((name, tensor) => seen.push({ name, tensor }));
      chosen = choose(seen);
    }, options));
    const counters = layers.flatMap(({ counters = {} }) => Object.values(counters));
    this.#changed = [gradients, ...counters].map((tensor) => {
      return { tensor, copy: stack.use(Tensor.zeros(device, tensor.shape, tensor.dtype)) };
    });
    this.seen = seen;
    this.#chosen = chosen;
    this.#owned = stack.move();
  }

  /**
   * Looks at the model of this moment. All work is on the queue before the promise is returned, and it is read in one wait.
   */
  async take(): Promise<TensorData[]> {
    for (const { tensor, copy } of this.#changed) tensor.device.copy(tensor, copy);
    this.#recording.replay();
    const read = readAll(this.#chosen);
    for (const { tensor, copy } of this.#changed) tensor.device.copy(copy, tensor);
    return await read;
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** A tensor of a step, measured. */
export interface MeasuredTensor extends TensorStatistics {
  /** `z1`, `a1` ... `loss`, `grad_logits`, `grad_weight_2` ... */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
}

/** A tensor of a step, as it was read. */
export interface ReadTensor {
  /** `x` and `y` of the batch; then the names of {@linkcode MeasuredTensor}. */
  readonly name: string;
  /** Its shape. */
  readonly shape: Shape;
  /** Its elements, row by row. */
  readonly data: ArrayLike<number>;
}

/** Looks at the steps of one training: their forward and backward passes, one operation at a time. */
export class StepLook implements Disposable {
  readonly #options: TrainerOptions;
  readonly #step: TrainingStep;
  /** Looks that measure, by the rows of a step. */
  readonly #measuring = new Map<number, Look>();

  constructor(options: TrainerOptions, step: TrainingStep) {
    this.#options = options;
    this.#step = step;
  }

  /** Measures the tensors of the step that the counter on the GPU names. */
  async measure(rows: number): Promise<MeasuredTensor[]> {
    let look = this.#measuring.get(rows);
    if (!look) {
      const passes = (observe: Observer) => void this.#step.look(rows, observe);
      look = this.#record(passes, (seen) => measure(seen.map(({ tensor }) => tensor)));
      this.#measuring.set(rows, look);
    }
    const measures = toStatistics(await look.take(), look.seen.map(({ tensor }) => tensor));
    return look.seen.map(({ name, tensor: { shape } }, i) => ({ name, shape, ...measures[i] }));
  }

  /** Reads them, and before them the batch. */
  async read(rows: number): Promise<ReadTensor[]> {
    let batch: SeenTensor[] = [];
    const passes = (observe: Observer) => {
      const { x, y } = this.#step.look(rows, observe);
      batch = [{ name: "x", tensor: x }, { name: "y", tensor: y }];
    };
    using look = this.#record(passes, (seen) => [...batch, ...seen].map(({ tensor }) => tensor));
    const data = await look.take();
    return [...batch, ...look.seen].map(({ name, tensor: { shape } }, i) => ({ name, shape, data: data[i] }));
  }

  #record(passes: (observe: Observer) => void, choose: ChooseTensors): Look {
    const { model, plain } = this.#options;
    return new Look(model, passes, choose, { plain });
  }

  [Symbol.dispose](): void {
    for (const look of this.#measuring.values()) look[Symbol.dispose]();
  }
}
