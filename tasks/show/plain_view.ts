/** A run as lines: epochs on stdout, warnings and progress on stderr; and one that only warns. */

import { printLine, warnLine } from "../settings/lines.ts";
import { Progress } from "./progress.ts";
import { NO_SCREEN, type Screen, stderrScreen } from "./screen.ts";
import type { EpochLine, RunFacts, RunStop, RunSummary, RunView } from "./view.ts";
import { formatEpoch } from "./train_report.ts";

/** About how many lines of epochs are printed at most; metrics.jsonl has them all. */
const MAX_LINES = 50;

export class PlainView implements RunView {
  protected facts: RunFacts | undefined;
  protected readonly screen: Screen;
  protected readonly print: (text: string) => void;
  readonly #warn: (text: string) => void;
  readonly #progress: Progress;
  #hasStepped = false;

  constructor(
    screen: Screen = stderrScreen(),
    print: (text: string) => void = printLine,
    warn: (text: string) => void = warnLine,
  ) {
    this.screen = screen;
    this.print = print;
    this.#warn = warn;
    this.#progress = this.job("training");
  }

  job(label: string, patience?: number): Progress {
    return new Progress(label, this.screen, patience);
  }

  begin(facts: RunFacts): void {
    this.facts = facts;
  }

  progress(step: number, _loss?: number): void {
    this.noteFirstSteps();
    const total = this.facts!.stepsPerEpoch * this.facts!.epochs;
    this.#progress.update(step, total, `step ${step} of ${total}`);
  }

  epoch(line: EpochLine, seconds: number, isLast: boolean): void {
    const { epochs } = this.facts!;
    const isShown = isLast || line.epoch === 1 || line.epoch % Math.ceil(epochs / MAX_LINES) === 0;
    if (isShown) this.note(formatEpoch(line, epochs, seconds));
  }

  warning(text: string): void {
    this.#progress.clear();
    this.#warn(text);
  }

  note(text: string): void {
    this.#progress.clear();
    this.print(text);
  }

  end(): void {
    this.#progress.clear();
  }

  summary(_: RunSummary, text: string): void {
    this.note(text);
  }

  stopped(_: RunStop, text: string): void {
    this.note(text);
  }

  /** Notes once when the first steps of a run that was not resumed are done. */
  protected noteFirstSteps(): void {
    const isFirst = !this.#hasStepped && this.facts?.firstStep === 0;
    this.#hasStepped = true;
    if (isFirst) this.note(`first steps done ${(performance.now() / 1000).toFixed(2)} s after the process started`);
  }
}

/** Prints only warnings, and how to resume a run that was stopped. */
export class QuietView extends PlainView {
  constructor(warn: (text: string) => void = warnLine) {
    super(NO_SCREEN, () => {}, warn);
  }

  override stopped(_: RunStop, text: string): void {
    this.warning(text);
  }
}
