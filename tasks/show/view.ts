/**
 * How a run is shown: all that train prints goes through one view. And what may ask something of a run while it trains.
 * Looking on does not change what a run computes.
 */

import type { Progress } from "./progress.ts";

/**
 * A line of metrics.jsonl. Losses are in the units of training. Nothing in it depends on timing, so a run that was interrupted
 * and resumed leaves the same bytes.
 */
export type EpochLine = Record<"epoch" | "step" | "trainLoss" | "learningRate", number> & { valLoss: number | null };

/** A line of layers.jsonl; a norm is null where it is not finite. */
export type LayerRecord = Readonly<Record<"epoch" | "step", number>> & {
  /** L2 norms of the parameters by name, and of the gradients of the loss on a sample. */
  readonly weights: Readonly<Record<string, number | null>>;
  readonly gradients: Readonly<Record<string, number | null>>;
  /** Shares of units that are 0 on all rows of the sample, by ReLU layer. */
  readonly dead: Readonly<Record<string, number | null>>;
};

/** What is known of a run before its first step. */
export interface RunFacts {
  readonly runName: string;
  /** Steps of an epoch, and the most epochs. */
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  /** Steps that were done before, if the run was resumed. */
  readonly firstStep: number;
}

/** Is told what happens in a run. It must return at once, because training waits for it. */
export interface View {
  /** Once, before the first step. */
  begin?(facts: RunFacts): void;
  /** A few times a second: steps that are done, over all epochs, and the mean training loss of the latest of them. */
  progress?(step: number, loss?: number): void;
  /** The end of each epoch, in order; and whether it is the run's last, as far as is known. */
  epoch?(line: EpochLine, seconds: number, isLast: boolean): void;
  /** Measures of the layers at the end of some epochs. */
  layers?(record: LayerRecord): void;
  /** What the user should act on. */
  warning?(text: string): void;
  /** What the user may want to know. */
  note?(text: string): void;
  /** Once, after the last step, however the run ended. */
  end?(): void;
}

export class Views implements Required<View> {
  readonly begin = this.#each("begin");
  readonly progress = this.#each("progress");
  readonly epoch = this.#each("epoch");
  readonly layers = this.#each("layers");
  readonly warning = this.#each("warning");
  readonly note = this.#each("note");
  readonly end = this.#each("end");
  readonly #all: readonly View[];

  constructor(all: readonly View[]) {
    this.#all = all;
  }

  #each<Name extends keyof View>(name: Name): Required<View>[Name] {
    const tell = (...told: unknown[]) => {
      for (const one of this.#all) (one[name] as ((...told: unknown[]) => void) | undefined)?.apply(one, told);
    };
    return tell;
  }
}

/** The contents of summary.json, and the run's folder. */
export type RunSummary = Record<"steps" | "seconds" | "stepsPerSecond", number> & { readonly run: string };

/** Where a run that was asked to end has been saved. */
export interface RunStop {
  readonly run: string;
  readonly step: number;
  readonly resume: string;
}

/** Shows a run: the stages before it, its training, and its results. */
export interface RunView extends Required<Omit<View, "layers">> {
  /** Shows how far a job before training has come; where lines are printed, the first after so many milliseconds. */
  job(label: string, patience?: number): Progress;
  /** The end of a run that is done, for programs and for people. */
  summary(summary: RunSummary, text: string): void;
  /** The end of a run that was asked to end, for programs and for people. */
  stopped(stop: RunStop, text: string): void;
}

/** A run that is held between two steps, with nothing under way. */
export interface HeldRun {
  readonly step: number;
  /** What the learning rates of the settings are multiplied by. */
  readonly rateFactor: number;
  /** Changes that from the next step on; checkpoints contain it. */
  setRateFactor(factor: number): Promise<void>;
}

/** Asks something of a run while it trains. */
export interface RunControl {
  /** Whether the run should hold after its present step; asked a few times a second. */
  readonly isAsking: boolean;
  /** Called when the run holds; it continues when the promise resolves. With an exit code, the run ends instead. */
  attend(run: HeldRun): Promise<number | void>;
}
