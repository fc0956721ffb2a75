/**
 * Which kernels a device was asked to run, and whether somebody vouches for them. A driver may compute wrong numbers, or compile
 * one form of a kernel wrong. So whoever cares sets an examiner, and no number leaves the device before each kernel in use, in
 * just the form that is used, was examined.
 *
 * @module
 */
import type { Kernel } from "../../kernels/mod.ts";
import type { Command } from "./commands.ts";

/** Tests kernels; rejects if one is not to be trusted. */
export type Examiner = (kernels: readonly Kernel[]) => Promise<void>;

/** Keeps book of the kernels of one device. */
export class Examination {
  /** Nobody examines anything where there is none. */
  examiner: Examiner | undefined;
  readonly #examined = new Set<Kernel>();
  readonly #unexamined = new Set<Kernel>();
  /** Settles when all that was handed to the examiner is done; once it has failed, it stays so. */
  #underWay: Promise<void> = Promise.resolve();
  #collected: Set<Kernel> | undefined;

  /** Takes note of what runs, or is recorded. */
  note(commands: readonly Command[]): void {
    for (const command of commands) {
      if (!("kernel" in command)) continue;
      const { kernel } = command;
      if (this.#collected) this.#collected.add(kernel);
      else if (!this.#examined.has(kernel)) this.#unexamined.add(kernel);
    }
  }

  /** Notes what a function runs in a set of its own. */
  collect<T>(body: () => T): { result: T; kernels: ReadonlySet<Kernel> } {
    const outer = this.#collected;
    const kernels = this.#collected = new Set<Kernel>();
    try {
      return { result: body(), kernels };
    } finally {
      this.#collected = outer;
    }
  }

  /** Hands on what is new, and waits for all that was handed on. */
  examine(): Promise<void> {
    const { examiner } = this;
    if (examiner && this.#unexamined.size > 0) {
      const kernels = [...this.#unexamined];
      this.#unexamined.clear();
      for (const kernel of kernels) this.#examined.add(kernel);
      this.#underWay = this.#underWay.then(() => examiner(kernels));
      this.#underWay.catch(() => {}); // every read that waits for it tells
    }
    return this.#underWay;
  }
}
