/** Who looks on while a run trains, and who may ask something of it. None of them changes what it computes by looking. */

import type { EpochLine } from "./train_report.ts";

/** A line of layers.jsonl; a norm is null where it is not finite. */
export type LayersLine = Readonly<Record<"epoch" | "step", number>> & {
  /** L2 norms of the parameters, by name, and of the gradients of a sample's loss. */
  readonly weights: Readonly<Record<string, number | null>>;
  readonly gradients: Readonly<Record<string, number | null>>;
  /** Shares of units that are 0 on all rows of the sample, by ReLU layer. */
  readonly dead: Readonly<Record<string, number | null>>;
};

/** What a run is, told before its first step. */
export interface RunFacts {
  readonly runName: string;
  /** Steps of an epoch, and epochs at most. */
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  /** Steps that were done before, where the run was resumed. */
  readonly firstStep: number;
}

/** Looks on. It must return at once: training waits for it. */
export interface Spectator {
  /** Once, before the first step. */
  begin?(facts: RunFacts): void;
  /** A few times a second: steps that are done, over all epochs, and the mean training loss of the latest of them. */
  progress?(step: number, loss?: number): void;
  /** The end of each epoch, in order; whether it is the last one that the run will have, as far as is known. */
  epoch?(line: EpochLine, seconds: number, isLast: boolean): void;
  /** How the layers fare at the end of some epochs. */
  layers?(look: LayersLine): void;
  /** What the user should know and do something about. */
  warning?(text: string): void;
  /** What the user may want to know. */
  note?(text: string): void;
  /** Once, behind the last step, whatever it ended by. */
  end?(): void;
}

/** Tells all of them. */
export class Spectators implements Required<Spectator> {
  readonly #all: readonly Spectator[];

  constructor(all: readonly Spectator[]) {
    this.#all = all;
  }

  begin(facts: RunFacts): void {
    for (const one of this.#all) one.begin?.(facts);
  }

  progress(step: number, loss?: number): void {
    for (const one of this.#all) one.progress?.(step, loss);
  }

  epoch(line: EpochLine, seconds: number, isLast: boolean): void {
    for (const one of this.#all) one.epoch?.(line, seconds, isLast);
  }

  layers(look: LayersLine): void {
    for (const one of this.#all) one.layers?.(look);
  }

  warning(text: string): void {
    for (const one of this.#all) one.warning?.(text);
  }

  note(text: string): void {
    for (const one of this.#all) one.note?.(text);
  }

  end(): void {
    for (const one of this.#all) one.end?.();
  }
}

/** A run that holds between two steps, nothing of it under way. */
export interface HeldRun {
  /** Steps that are done. */
  readonly step: number;
  /** What the learning rates of the settings are multiplied by. */
  readonly rateFactor: number;
  /** Changes that from the next step on; the run is kept with it. */
  setRateFactor(factor: number): Promise<void>;
}

/** Asks something of a run while it trains. */
export interface RunControl {
  /** Whether the run should hold behind the step that it is at; asked a few times a second. */
  readonly isAsking: boolean;
  /** Called when it holds; it goes on when the promise resolves. Where that gives an exit code, the run ends with it. */
  attend(run: HeldRun): Promise<number | void>;
}
