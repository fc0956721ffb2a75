/**
 * Work that is not recorded. It is gathered here, and goes to the queue all at once, when something has to come after it: a
 * read, a write, the end of `tidy`. Putting each operation there by itself would take ten times as long as its work.
 *
 * @module
 */
import { type Kernel, kernels } from "../../kernels/mod.ts";
import type { Built, Command, CommandBuilder } from "./commands.ts";
import { isBinding, type PlannedDispatch } from "./pipeline.ts";

/** Commands that are gathered at most: few enough for the GPU to start soon. */
const MAX_GATHERED = 256;

/** Bound dispatches that are kept at most, and bytes of what one of them holds for itself. */
const MAX_KEPT = 4_096;
const MAX_KEPT_BYTES = 1_024;

/** Bytes that gathered work holds for itself at most, in textures: they are freed when it is on the queue. */
const MAX_PASSING_BYTES = 64 << 20;

/**
 * Multiplications below which a product runs plain. A recording makes the textures that its operands are packed into once; here
 * that takes as long as some 5,000 multiplications, measured on llvmpipe.
 */
const SMALL_PRODUCT = 4_096;

/**
 * Gathers dispatches. One that comes again, with the same kernel, places and sizes, is bound only once: a loop whose tensors
 * are freed by `tidy` gets the same buffers each time round.
 */
export class Unrecorded {
  readonly #builder: CommandBuilder;
  readonly #submit: (commands: readonly Command[]) => void;
  readonly #ids = new WeakMap<object, number>();
  #lastId = 0;
  readonly #kept = new Map<string, Built>();
  #commands: Command[] = [];
  readonly #buffers = new Set<GPUBuffer>();
  /** Used once: freed when they are on the queue. */
  #passing = new DisposableStack();
  #passingBytes = 0;

  constructor(builder: CommandBuilder, submit: (commands: readonly Command[]) => void) {
    this.#builder = builder;
    this.#submit = submit;
  }

  /** Gathers a dispatch; gives what it became. */
  add(dispatch: PlannedDispatch): readonly Command[] {
    const { commands, buffers } = this.#bind(dispatch);
    for (const command of commands) this.#commands.push(command);
    for (const buffer of buffers) this.#buffers.add(buffer);
    if (this.#commands.length >= MAX_GATHERED || this.#passingBytes > MAX_PASSING_BYTES) this.flush();
    return commands;
  }

  /** Puts what was gathered on the queue, if any of it uses a buffer. */
  flushIfUsing(buffer: GPUBuffer): void {
    if (this.#buffers.has(buffer)) this.flush();
  }

  /** Puts what was gathered on the queue. */
  flush(): void {
    if (this.#commands.length === 0) return;
    const commands = this.#commands;
    using _passing = this.#passing;
    this.#commands = [];
    this.#buffers.clear();
    this.#passing = new DisposableStack();
    this.#passingBytes = 0;
    this.#submit(commands);
    if (this.#kept.size < MAX_KEPT) return;
    for (const built of this.#kept.values()) built[Symbol.dispose]();
    this.#kept.clear();
  }

  #bind(dispatch: PlannedDispatch): Built {
    const key = this.#keyOf(dispatch);
    const known = this.#kept.get(key);
    if (known) return known;
    const { kernel, sizes, invocations } = dispatch;
    const plain = (kernel as Kernel) === kernels.matmul && invocations * sizes[7] < SMALL_PRODUCT;
    const built = this.#builder.build([dispatch], { isCounted: false, plain });
    if (built.bytes <= MAX_KEPT_BYTES) {
      this.#kept.set(key, built);
    } else {
      this.#passing.use(built);
      this.#passingBytes += built.bytes;
    }
    return built;
  }

  #keyOf({ kernel, resources, sizes, reals, invocations }: PlannedDispatch): string {
    let key = `${this.#idOf(kernel)}`;
    for (const resource of resources) {
      key += isBinding(resource)
        ? `,${this.#idOf(resource.buffer)}:${resource.byteOffset}:${resource.byteLength}`
        : `,${this.#idOf(resource)}`;
    }
    // As text, -0 is 0.
    return `${key}|${sizes}|${reals.map((real) => Object.is(real, -0) ? "-0" : real)}|${invocations}`;
  }

  #idOf(thing: object): number {
    let id = this.#ids.get(thing);
    if (id === undefined) this.#ids.set(thing, id = ++this.#lastId);
    return id;
  }
}
