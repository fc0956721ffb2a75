/** A run as lines: epochs on stdout, warnings and progress on stderr. */

import { Progress } from "./progress.ts";
import type { RunFacts, Spectator } from "./spectator.ts";
import { type EpochLine, formatEpoch } from "./train_report.ts";

/** Lines of epochs that are printed at most, about; metrics.jsonl has them all. */
const MAX_LINES = 50;

/** Prints what happens. */
export class PlainView implements Spectator {
  readonly #progress = new Progress("training");
  #facts!: RunFacts;
  #hasStepped = false;

  begin(facts: RunFacts): void {
    this.#facts = facts;
  }

  progress(step: number): void {
    const { stepsPerEpoch, epochs, firstStep } = this.#facts, total = stepsPerEpoch * epochs;
    if (!this.#hasStepped && firstStep === 0) {
      this.note(`first steps done ${(performance.now() / 1000).toFixed(2)} s after the process started`);
    }
    this.#hasStepped = true;
    this.#progress.update(step, total, `step ${step} of ${total}`);
  }

  epoch(line: EpochLine, seconds: number, isLast: boolean): void {
    const { epochs } = this.#facts, { epoch } = line;
    if (isLast || epoch === 1 || epoch % Math.ceil(epochs / MAX_LINES) === 0) {
      this.note(formatEpoch(line, epochs, seconds));
    }
  }

  warning(text: string): void {
    this.#progress.clear();
    console.error(text);
  }

  note(text: string): void {
    this.#progress.clear();
    console.log(text);
  }

  end(): void {
    this.#progress.clear();
  }
}
