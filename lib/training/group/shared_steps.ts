/**
 * Steps that several processes do in common.
 *
 * @module
 */
import type { Communicator } from "../../ranks/communicator.ts";
import type { Rows } from "./group.ts";
import { kernels } from "../../../kernels/mod.ts";
import { elementwise } from "../../core/operation.ts";
import type { Recording } from "../../gpu/recording.ts";
import { scaleInto, type Staging } from "../../gpu/readback.ts";
import { ELEMENT_BYTES, Tensor } from "../../core/tensor.ts";
import type { TrainerOptions } from "../trainer_options.ts";
import type { Steps, TrainingStep } from "../training_step.ts";

/**
 * Bytes of gradients that travel together at least: fewer are not worth a part of the step that is read by itself. The first
 * bucket of PyTorch's DistributedDataParallel has as many.
 */
const BUCKET_BYTES = 2 ** 20;

/** What travels together, and where it is read back. */
interface Bucket {
  readonly places: readonly Tensor[];
  readonly staging: Staging;
  readonly sum: Float32Array<ArrayBuffer>;
}

/**
 * Every step in common. The gradients travel in buckets, those of the last layers first, while the backward pass of the
 * layers before is under way (Li et al. 2020); each rank's count as much as it has rows.
 */
export class SharedSteps implements Steps {
  readonly state = {};
  readonly #communicator: Communicator;
  readonly #rows: Rows;
  readonly #full: Recording;
  readonly #rest: Recording | undefined;
  /** The short step, where it has no rows for this rank. */
  readonly #skip: Recording | undefined;
  readonly #update: Recording;
  /** Gradients, last layers first. */
  readonly #buckets: readonly Bucket[];
  /** The step's loss, this rank's and then that of all. */
  readonly #loss: Tensor;
  readonly #owned: DisposableStack;

  constructor(options: TrainerOptions, step: TrainingStep, communicator: Communicator, rows: Rows) {
    const { model, plain = false } = options;
    const { device, gradients } = model;
    this.#communicator = communicator;
    this.#rows = rows;
    using stack = new DisposableStack();
    this.#loss = stack.use(Tensor.zeros(device, []));
    const starts = bucketStarts(options);
    this.#buckets = starts.map((start, i) => {
      const size = (starts[i - 1] ?? gradients.size) - start;
      const place = gradients.view(start, [size]);
      // The step's loss travels with the gradients of the last part.
      const places = start === 0 ? [place, this.#loss] : [place];
      const sum = new Float32Array(places.reduce((length, { size }) => length + size, 0));
      return { places, staging: stack.use(device.stage(places)), sum };
    });
    // A part of the recording ends where the last gradient of a bucket is there.
    const cutAt = new Set(starts.slice(0, -1));
    const record = (count: number) =>
      stack.use(
        device.record((cut) => {
          const { loss } = step.look(count, (_, { buffer, byteOffset }) => {
            const place = (byteOffset - gradients.byteOffset) / ELEMENT_BYTES;
            if (buffer === gradients.buffer && cutAt.has(place)) cut();
          });
          elementwise(kernels.scale, [loss], { out: this.#loss }, [1]);
        }, { fuse: !plain, plain }),
      );
    this.#full = record(rows.own[0]);
    if (rows.own[1] > 0) this.#rest = record(rows.own[1]);
    else if (rows.all[1] > 0) this.#skip = stack.use(device.record(() => step.skip()));
    this.#update = stack.use(device.record(() => step.update(this.#loss), { plain }));
    this.#owned = stack.move();
  }

  get length(): number {
    return this.#full.length + this.#update.length;
  }

  async run(steps: number, short: boolean): Promise<void> {
    const { all, own } = this.#rows;
    for (let done = 0; done < steps; done++) await this.#step(this.#full, own[0] / all[0]);
    if (short) await this.#step(this.#rest, own[1] / all[1]);
  }

  /** One step; a rank that has no rows in it brings zeros. */
  async #step(recording: Recording | undefined, weight: number): Promise<void> {
    const sums: Promise<void>[] = [];
    try {
      for (const [part, { staging, sum }] of this.#buckets.entries()) {
        if (recording) {
          recording.replayPart(part);
          await staging.read((bytes) => scaleInto(sum, 0, bytes, weight));
        } else sum.fill(0);
        const summed = this.#communicator.allReduce(sum); // under way while the next part runs
        summed.catch(() => {}); // it is awaited below
        sums.push(summed);
        await null; // it begins in a microtask, and the next read holds this thread
      }
      if (!recording) this.#skip?.replay();
      await Promise.all(sums);
    } finally {
      await Promise.allSettled(sums);
    }
    for (const { places, sum } of this.#buckets) {
      let at = 0;
      for (const place of places) {
        place.device.write(place, sum.subarray(at, at + place.size));
        at += place.size;
      }
    }
    this.#update.replay();
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}

/** Where buckets begin in the buffer of gradients, the last one first: at parameters, and none too small. */
function bucketStarts({ model: { parameters, gradients } }: TrainerOptions): number[] {
  const starts: number[] = [];
  let end = gradients.size;
  for (const { parameter: { grad } } of parameters.toReversed()) {
    const start = (grad.byteOffset - gradients.byteOffset) / ELEMENT_BYTES;
    if (start > 0 && (end - start) * ELEMENT_BYTES < BUCKET_BYTES) continue;
    starts.push(start);
    end = start;
  }
  return starts;
}
