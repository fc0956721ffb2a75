/** The state of a run while it trains: its clock, its learning rate, its checkpoints. */

import { NotFiniteError } from "../../lib/base/errors.ts";
import { type FaultCause, findFault } from "../../lib/inspect/fault_finder.ts";
import type { Checkpoints, RunCheckpoint, RunFiles, RunNotes } from "../runs/checkpoints.ts";
import type { Origin } from "../runs/origin.ts";
import type { RunFolder } from "../runs/folder.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import type { EpochLine, HeldRun, RunView } from "../show/view.ts";
import type { LiveServer } from "../live/server.ts";
import type { StopSignal } from "./stop_signal.ts";
import { adviseRanks, formatFault } from "./not_finite_report.ts";
import type { Training } from "./training.ts";

/** Shortest time between the checkpoints of two epochs, in milliseconds: each has files written and renamed. */
const EPOCH_INTERVAL = 2_000;

/** The learning rate halved twenty times: if that does not help, something else is wrong. */
const MIN_RATE_FACTOR = 2 ** -20;

const HALVING_HELPS: readonly FaultCause["kind"][] = ["rate", "unknown"];

/** A run, with all that belongs to it. */
export interface Run extends RunFiles {
  readonly config: TaskConfig;
  readonly view: RunView;
  /** The live page, if it is served. */
  readonly live?: LiveServer;
  readonly signal: StopSignal;
  readonly training: Training;
  readonly state: RunState;
  readonly origin: Origin;
  readonly command: string;
}

type Content = Pick<RunCheckpoint, "state" | "notes">;

/** Decides when a checkpoint is due and what goes into it, and goes back to one. */
export class RunState implements HeldRun {
  /** Factor of the learning rates of the settings. */
  rateFactor = 1;
  /** Whether the run ended with a value that is not finite, and half the learning rate may prevent that. */
  wouldHalvingHelp = false;
  readonly #config: TaskConfig;
  readonly #training: Training;
  readonly #folder: RunFolder;
  readonly #checkpoints: Checkpoints;
  readonly #origin: Origin;
  #start = performance.now();
  #firstStep = 0;
  /** When the run was held, while it is. */
  #heldSince: number | undefined;
  #secondsBefore = 0;
  #loss: number | null = null;
  /** The last checkpoint, to return to. */
  #good: Content | undefined;
  #lastStep: number | undefined;
  #lastTime = 0;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  #failure: { error: unknown } | undefined;

  constructor(config: TaskConfig, training: Training, { folder, checkpoints }: RunFiles, origin: Origin) {
    this.#config = config;
    this.#training = training;
    this.#folder = folder;
    this.#checkpoints = checkpoints;
    this.#origin = origin;
  }

  /** Seconds of training so far, those before an interruption included. */
  get seconds(): number {
    return this.#secondsBefore + ((this.#heldSince ?? performance.now()) - this.#start) / 1000;
  }

  begin(): void {
    this.#start = performance.now();
    this.#firstStep = this.step;
  }

  get hasStepped(): boolean {
    return this.step > this.#firstStep;
  }

  /** Does something while the run is held: that is no time of training. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    const since = this.#heldSince = performance.now();
    try {
      return await work();
    } finally {
      this.#start += performance.now() - since;
      this.#heldSince = undefined;
    }
  }

  /** Whether the run is at its end: after its last epoch, or out of patience. */
  get isOver(): boolean {
    const { trainer, judge } = this.#training;
    return trainer.epoch >= this.#config.numEpochs || judge?.verdict.isOver === true;
  }

  /**
   * Continues from a checkpoint.
   *
   * @throws {ConfigError} If it was made with another number of rows, or by a version whose checkpoints have another form.
   */
  async restore(checkpoint: Content): Promise<void> {
    const { trainer } = this.#training;
    const { stepsPerEpoch, logged, seconds } = checkpoint.notes;
    if (stepsPerEpoch !== trainer.stepsPerEpoch) {
      throw new ConfigError([
        `--resume is "${this.#config.runName}": its epochs have ${stepsPerEpoch} steps, but with the rows that there are ` +
        `now they would have ${trainer.stepsPerEpoch}: begin a new run`,
      ]);
    }
    try {
      this.#rewind(checkpoint);
    } catch (error) {
      // Settings and rows are the same by now, so another version made it.
      if (!(error instanceof TypeError)) throw error;
      const why = "an older version of Backhand began this run, and its checkpoints have another form";
      throw new ConfigError([`--resume is "${this.#config.runName}": ${why} (${error.message}): train it again`]);
    }
    await this.#folder.cut(logged);
    this.#good = checkpoint;
    this.#secondsBefore = seconds;
    this.#start = performance.now();
    this.#lastTime = performance.now();
  }

  /**
   * Takes the run back from a value that is not finite: says where it came from, returns to the last checkpoint, and halves the
   * learning rate.
   *
   * @throws {NotFiniteError} If the run is to stop, or no learning rate would help; the message says where it came from.
   */
  async recover(error: NotFiniteError): Promise<string[]> {
    await this.#writing;
    if (this.#training.trainer.options.group) throw adviseRanks(error, this.#config);
    const failure = this.#failure?.error ?? error;
    const good = this.#good;
    if (!(failure instanceof NotFiniteError) || !good) throw failure;
    this.#failure = undefined;
    const { trainer, dataset: { features, targets } } = this.#training;
    this.#rewind(good); // the fault is looked for with the learning rates of then
    const fault = await findFault(trainer, good.state, error);
    const lines = formatFault(fault, { inputs: features, targets });
    const rateFactor = this.rateFactor / 2;
    const isHopeless = fault.cause.kind === "data" || rateFactor < MIN_RATE_FACTOR;
    if (this.#config.onNan === "stop" || isHopeless) {
      this.wouldHalvingHelp = !isHopeless && HALVING_HELPS.includes(fault.cause.kind);
      error.message = lines.join("\n");
      throw error;
    }
    await this.restore({ state: good.state, notes: { ...good.notes, rateFactor } });
    await this.#checkpoint();
    return [...lines, `warning: back at step ${trainer.step}, with ${rateFactor} of the learning rate from here`];
  }

  get step(): number {
    return this.#training.trainer.step;
  }

  /** Changes the factor from the next step on. A checkpoint is written at once, so that a resumed run has it, too. */
  async setRateFactor(factor: number): Promise<void> {
    this.#training.setRateFactor(this.rateFactor = factor);
    await this.#checkpoint();
    await this.settle(); // the user is told next, and a kill must not undo it
  }

  /** A trainer's `between`: 0 where a checkpoint is due, else how many steps may follow at most. */
  readonly between = (step: number): number => {
    const { steps } = this.#config.checkpointEvery;
    if (this.#failure || this.#isDue(step)) return 0;
    return steps === undefined ? Infinity : steps - step % steps;
  };

  /** Takes note of an epoch's loss. */
  epochDone({ trainLoss, valLoss }: EpochLine): void {
    this.#loss = valLoss ?? trainLoss;
  }

  /** Takes a checkpoint if one is due. All results of steps on the queue must be there. */
  async checkpointIfDue(): Promise<void> {
    if (this.#isDue(this.step)) await this.#checkpoint();
    if (this.#failure) throw this.#failure.error;
  }

  /** Takes a checkpoint of this step, unless there is one, and waits until it is on the disk. */
  async checkpointNow(): Promise<void> {
    if (this.step !== this.#lastStep) await this.#checkpoint();
    await this.settle();
  }

  /** Waits until nothing is being written, failed or not. */
  written(): Promise<void> {
    return this.#writing;
  }

  /** Waits until the last checkpoint is on the disk. */
  async settle(): Promise<void> {
    await this.#writing;
    if (this.#failure) throw this.#failure.error;
  }

  /** Takes a checkpoint, which is written while training continues; waits only for the one before. */
  async #checkpoint(): Promise<void> {
    if (!this.#checkpoints.areWritten) return;
    await this.settle();
    const { trainer } = this.#training;
    const notes = this.#notes();
    const content = trainer.snapshot().then((state) => this.#good = { state, notes });
    this.#lastStep = trainer.step;
    this.#lastTime = performance.now();
    this.#isWriting = true;
    this.#writing = this.#write(content).catch((error) => void (this.#failure = { error })).finally(() =>
      this.#isWriting = false
    );
  }

  async #write(content: Promise<Content>): Promise<void> {
    const { state, notes } = await content;
    this.#training.model.device.check();
    await this.#folder.flush(notes.logged);
    await this.#checkpoints.write(state, notes);
  }

  #isDue(step: number): boolean {
    if (!this.#checkpoints.areWritten || step === this.#lastStep) return false;
    // If there is none yet, take one at once: a disk that cannot be written to should show early.
    if (this.#lastStep === undefined) return true;
    const { steps, seconds = Infinity } = this.#config.checkpointEvery;
    const since = performance.now() - this.#lastTime;
    // With SYNC_EVERY, not every step is asked about.
    if (steps !== undefined && Math.floor(step / steps) > Math.floor(this.#lastStep / steps)) return true;
    if (this.#isWriting) return false;
    const endsEpoch = step % this.#training.trainer.stepsPerEpoch === 0;
    return since >= seconds * 1000 || (endsEpoch && since >= EPOCH_INTERVAL);
  }

  #rewind({ state, notes: { rateFactor, loss } }: Content): void {
    const { trainer, ...training } = this.#training;
    trainer.restore(state);
    training.setRateFactor(rateFactor);
    this.rateFactor = rateFactor;
    this.#loss = loss;
    this.#lastStep = state.step;
  }

  #notes(): RunNotes {
    const { step, stepsPerEpoch } = this.#training.trainer;
    return {
      stepsPerEpoch,
      logged: this.#folder.logged,
      loss: step % stepsPerEpoch === 0 ? this.#loss : null,
      seconds: this.seconds,
      rateFactor: this.rateFactor,
      origin: this.#origin,
    };
  }
}
