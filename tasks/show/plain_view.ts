/** A run as lines: epochs on stdout, warnings and progress on stderr. */

import { Progress } from "./progress.ts";
import { type Screen, stderrScreen } from "./screen.ts";
import type { RunFacts } from "./spectator.ts";
import { type EpochLine, formatEpoch } from "./train_report.ts";
import type { RunSummary, View } from "./view.ts";

/** Lines of epochs that are printed at most, about; metrics.jsonl has them all. */
const MAX_LINES = 50;

/** Prints what happens. */
export class PlainView implements View {
  readonly #screen: Screen;
  readonly #progress: Progress;
  #facts!: RunFacts;
  #hasStepped = false;

  constructor(screen: Screen = stderrScreen()) {
    this.#screen = screen;
    this.#progress = this.job("training");
  }

  job(label: string): Progress {
    return new Progress(label, this.#screen);
  }

  begin(facts: RunFacts): void {
    this.#facts = facts;
  }

  progress(step: number): void {
    const { stepsPerEpoch, epochs, firstStep } = this.#facts;
    const total = stepsPerEpoch * epochs;
    if (!this.#hasStepped && firstStep === 0) this.note(firstStepsNote());
    this.#hasStepped = true;
    this.#progress.update(step, total, `step ${step} of ${total}`);
  }

  epoch(line: EpochLine, seconds: number, isLast: boolean): void {
    const { epochs } = this.#facts;
    if (isShownEpoch(line.epoch, epochs, isLast)) this.note(formatEpoch(line, epochs, seconds));
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

  summary(_: RunSummary, text: string): void {
    this.note(text);
  }

  stopped(_: unknown, text: string): void {
    this.note(text);
  }
}

/** Whether an epoch gets a line. */
export function isShownEpoch(epoch: number, epochs: number, isLast: boolean): boolean {
  return isLast || epoch === 1 || epoch % Math.ceil(epochs / MAX_LINES) === 0;
}

/** Said once, when the first steps of a run are done. */
export function firstStepsNote(): string {
  return `first steps done ${(performance.now() / 1000).toFixed(2)} s after the process started`;
}
