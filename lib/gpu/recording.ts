/**
 * Recorded work: a list of dispatches with everything bound, replayed as often as asked.
 *
 * @module
 */
import type { Built } from "./commands.ts";
import type { Binding, PlannedDispatch } from "./pipeline.ts";

/** Dispatches that one submission holds at most: enough to hide its cost, few enough to start soon. */
const DISPATCHES_PER_SUBMIT = 2_048;

/** Dispatches of a recording that can be replayed by themselves. */
export interface RecordedPart {
  /** How many. */
  readonly length: number;
  /** Puts them on the queue, so many times over. */
  readonly submit: (times: number) => void;
}

/**
 * What `Device.record` kept: dispatches, and the tensors that were made while recording.
 *
 * @example
 * ```ts
 * import { Device, type Recording, scale, Tensor } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * using device = await Device.request();
 * using x = Tensor.from(device, [1]);
 * using y = Tensor.zeros(device, [1]);
 * using recording: Recording = device.record(() => scale(x, 3, { out: y }));
 * assertEquals(recording.length, 1);
 * x.write([2]);
 * recording.replay();
 * assertEquals([...await y.read()], [6]);
 * ```
 */
export class Recording implements Disposable {
  /** Number of dispatches in one replay. */
  readonly length: number;
  readonly #parts: readonly RecordedPart[];
  readonly #owned: readonly Disposable[];
  #disposed = false;

  /** Called by `Device.record`, with what to free in the end. */
  constructor(parts: readonly RecordedPart[], owned: readonly Disposable[]) {
    this.length = parts.reduce((sum, { length }) => sum + length, 0);
    this.#parts = parts;
    this.#owned = owned;
  }

  /** Puts the dispatches on the queue so many times; makes no buffer, no bind group, and does not wait. */
  replay(times = 1): void {
    if (this.#parts.length === 1) return this.#submit(this.#parts[0], times);
    for (let time = 0; time < times; time++) for (const part of this.#parts) this.#submit(part, 1);
  }

  /** The same for one part, counted from 0. */
  replayPart(part: number): void {
    this.#submit(this.#parts[part], 1);
  }

  /** Frees the tensors made while recording. A second call does nothing. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const resource of this.#owned) resource[Symbol.dispose]();
  }

  /** The same as {@linkcode Recording.dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #submit({ length, submit }: RecordedPart, times: number): void {
    if (this.#disposed) throw new TypeError("Cannot replay a recording that was disposed of");
    const batch = Math.max(1, Math.floor(DISPATCHES_PER_SUBMIT / Math.max(1, length)));
    for (let done = 0; done < times; done += batch) submit(Math.min(batch, times - done));
  }
}

/** Parts of a recording as commands, every buffer that was bound, and those of them that no command binds any more. */
interface BoundParts {
  readonly builts: readonly Built[];
  readonly bound: ReadonlySet<GPUBuffer>;
  readonly vanished: ReadonlySet<GPUBuffer>;
}

/**
 * Makes commands of what was recorded.
 *
 * @param parts Dispatches of each part.
 * @param made Buffers that were made meanwhile: one that a single part binds may vanish in it.
 * @param build Makes commands of a part's dispatches, with the buffers that may vanish.
 */
export function bindParts(
  parts: readonly PlannedDispatch[][],
  made: ReadonlySet<GPUBuffer>,
  build: (part: readonly PlannedDispatch[], intermediate: ReadonlySet<GPUBuffer>) => Built,
): BoundParts {
  const ofParts = parts.map(buffersOf);
  const bound = new Set(ofParts.flatMap((part) => [...part]));
  using stack = new DisposableStack(); // a part may refuse what the others have bound for nothing then
  const builts = parts.map((part, i) => {
    const elsewhere = new Set(ofParts.flatMap((other, j) => j === i ? [] : [...other]));
    return stack.use(build(part, made.difference(elsewhere)));
  });
  stack.move();
  return { builts, bound, vanished: builts.reduce((left, built) => left.difference(built.buffers), bound) };
}

/** What some dispatches bind. */
function buffersOf(dispatches: readonly PlannedDispatch[]): Set<GPUBuffer> {
  return new Set(dispatches.flatMap(({ resources }) => resources as Binding[]).map(({ buffer }) => buffer));
}
