/** Keeps a run while it trains: when a checkpoint is due, what goes into it, and how the run takes up from one. */

import { EarlyStopping } from "../../lib/training/early_stopping.ts";
import { NotFiniteError } from "../../lib/base/errors.ts";
import { type FaultCause, findFault } from "../../lib/inspect/fault_finder.ts";
import type { Tensor } from "../../lib/core/tensor.ts";
import type { TrainingState } from "../../lib/training/training_state.ts";
import type { Training } from "./build.ts";
import type { Checkpoints, Origin, RunCheckpoint, RunNotes } from "../runs/checkpoints.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import type { LayersLine } from "../show/spectator.ts";
import { adviseGroup, formatFault } from "./not_finite_report.ts";
import type { RunFolder } from "../runs/folder.ts";
import type { HeldRun } from "../show/spectator.ts";
import type { TraceLine } from "./trace.ts";
import type { EpochLine } from "../show/train_report.ts";

/** Milliseconds that lie between the checkpoints of two epochs at least: each has files written and renamed. */
const EPOCH_INTERVAL = 2_000;

/** Half of the learning rate twenty times: where that does not help, something else is wrong. */
const MIN_RATE_FACTOR = 2 ** -20;

/** Causes for which the advice of a fault names it. */
const HALVING_HELPS: readonly FaultCause["kind"][] = ["rate", "unknown"];

/** What a run stands at, to keep and to return to. */
type Kept = Pick<RunCheckpoint, "state" | "notes">;

/** A run while it trains. */
export class RunKeeper implements HeldRun, Disposable {
  /** Ends the run when the validation loss no longer falls, where that was asked for. */
  readonly stopping: EarlyStopping | undefined;
  readonly #config: TaskConfig;
  readonly #training: Training;
  readonly #folder: RunFolder;
  readonly #checkpoints: Checkpoints;
  readonly #origin: Origin;
  #start = performance.now();
  /** When the run was held, while it is. */
  #heldSince: number | undefined;
  #secondsBefore = 0;
  #rateFactor = 1;
  /** Whether the plateau has changed the learning rate since the last checkpoint. */
  #hasNewRate = false;
  #wouldHalvingHelp = false;
  /** Loss of the last epoch that is done. */
  #loss: number | null = null;
  /** What the last checkpoint holds, to return to. */
  #good: Kept | undefined;
  #lastStep: number | undefined;
  #lastTime = 0;
  #writing: Promise<void> = Promise.resolve();
  #isWriting = false;
  #failure: { error: unknown } | undefined;

  constructor(
    config: TaskConfig,
    training: Training,
    folder: RunFolder,
    checkpoints: Checkpoints,
    origin: Origin,
  ) {
    this.#config = config;
    this.#training = training;
    this.#folder = folder;
    this.#checkpoints = checkpoints;
    this.#origin = origin;
    const isValidated = training.parts.some(({ name }) => name === "validation");
    const { patience } = config;
    if (patience > 0 && isValidated) this.stopping = new EarlyStopping(training.model, { patience });
  }

  /** Seconds of training so far, those before an interruption included. */
  get seconds(): number {
    return this.#secondsBefore + ((this.#heldSince ?? performance.now()) - this.#start) / 1000;
  }

  /** Starts the clock. */
  begin(): void {
    this.#start = performance.now();
  }

  /** Does something for which the run holds; that takes no time of training. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    const since = this.#heldSince = performance.now();
    try {
      return await work();
    } finally {
      this.#start += performance.now() - since;
      this.#heldSince = undefined;
    }
  }

  /** Whether the run is at its end. */
  get isOver(): boolean {
    return this.#training.trainer.epoch >= this.#config.numEpochs || (this.stopping?.isOver ?? false);
  }

  /**
   * Goes on from a checkpoint.
   *
   * @throws {ConfigError} If it does not fit the number of rows that there are.
   */
  async restore(checkpoint: Kept): Promise<void> {
    const { trainer } = this.#training;
    const { stepsPerEpoch, logged, seconds } = checkpoint.notes;
    if (stepsPerEpoch !== trainer.stepsPerEpoch) {
      throw new ConfigError([
        `--resume is "${this.#config.runName}": its epochs have ${stepsPerEpoch} steps, with the rows that there are now ` +
        `they would have ${trainer.stepsPerEpoch}: begin a new run`,
      ]);
    }
    await this.#folder.cut(logged);
    this.#rewind(checkpoint);
    this.#good = checkpoint;
    this.#secondsBefore = seconds;
    this.#start = performance.now();
    this.#lastTime = performance.now();
  }

  /**
   * Takes the run back from a value that is not finite: says where it came from and stands at the last checkpoint again, with
   * half the learning rate.
   *
   * @throws {NotFiniteError} If the run is to stop, or no learning rate would help; the message says where it came from.
   */
  async recover(error: NotFiniteError): Promise<string[]> {
    await this.#writing;
    if (this.#training.trainer.options.group) throw adviseGroup(error, this.#config);
    const failure = this.#failure?.error ?? error;
    const good = this.#good;
    if (!(failure instanceof NotFiniteError) || !good) throw failure;
    this.#failure = undefined;
    const { trainer, dataset: { features, targets } } = this.#training;
    const [state, more] = this.#fitted(good.state);
    this.#rewind(good); // learning rates must be those of then
    const fault = await findFault(trainer, state, error, more);
    const lines = formatFault(fault, { inputs: features, targets });
    const rateFactor = this.#rateFactor / 2;
    const isHopeless = fault.cause.kind === "data" || rateFactor < MIN_RATE_FACTOR;
    if (this.#config.onNan === "stop" || isHopeless) {
      this.#wouldHalvingHelp = !isHopeless && HALVING_HELPS.includes(fault.cause.kind);
      error.message = lines.join("\n");
      throw error;
    }
    await this.restore({ state: good.state, notes: { ...good.notes, rateFactor } });
    await this.keep();
    return [...lines, `warning: back at step ${trainer.step}, with ${rateFactor} of the learning rate from here`];
  }

  /** Whether the run ended with a value that is not finite and half the learning rate may be without. */
  get wouldHalvingHelp(): boolean {
    return this.#wouldHalvingHelp;
  }

  /** Steps that are done. */
  get step(): number {
    return this.#training.trainer.step;
  }

  /** What the learning rates of the settings are multiplied by. */
  get rateFactor(): number {
    return this.#rateFactor;
  }

  /** Changes that from the next step on; the run is kept with it at once, so that it resumes the same. */
  async setRateFactor(factor: number): Promise<void> {
    this.#training.setRateFactor(this.#rateFactor = factor);
    await this.keep();
    await this.settle(); // what the user is told next must outlive a kill
  }

  /** Whether to stop putting steps on the queue here, and how many may follow at most: a trainer's `between`. */
  readonly between = (step: number): number => {
    const { steps } = this.#config.checkpointEvery;
    if (this.#failure || this.#isDue(step)) return 0;
    return steps === undefined ? Infinity : steps - step % steps;
  };

  /** Notes an epoch's end: a line in metrics.jsonl, one in layers.jsonl, and what is decided by the loss. */
  async epochDone(line: EpochLine, layers?: LayersLine): Promise<void> {
    await this.#folder.logs.metrics.append(line);
    if (layers) await this.#folder.logs.layers.append(layers);
    this.#loss = line.valLoss ?? line.trainLoss;
    if (line.valLoss === null) return;
    const { plateau } = this.#training;
    const factor = plateau?.factor;
    plateau?.observe(line.valLoss);
    // A checkpoint there, so that steps behind it are run again with the rates of then.
    if (plateau?.factor !== factor) this.#hasNewRate = true;
    this.stopping?.observe(line.valLoss);
  }

  /** Notes the tensors of a step. */
  async stepTraced(line: TraceLine): Promise<void> {
    await this.#folder.logs.trace.append(line);
  }

  /** Takes a checkpoint where one is due; nothing may be on the queue whose results are not there. It is written meanwhile. */
  async keepIfDue(): Promise<void> {
    if (this.#isDue(this.#training.trainer.step)) await this.keep();
    if (this.#failure) throw this.#failure.error;
  }

  /** Takes a checkpoint, to be written while training goes on; waits only for the one before. */
  async keep(): Promise<void> {
    if (!this.#checkpoints.isKept) return;
    await this.settle();
    const { trainer } = this.#training;
    const notes = this.#notes();
    const more: Record<string, Tensor> = this.stopping ? { best: this.stopping.best } : {};
    const last = trainer.snapshot(more).then((state) => this.#good = { state, notes });
    this.#lastStep = trainer.step;
    this.#lastTime = performance.now();
    this.#isWriting = true;
    this.#hasNewRate = false;
    this.#writing = this.#write(last).catch((error) => void (this.#failure = { error })).finally(() =>
      this.#isWriting = false
    );
  }

  /** Takes a checkpoint of where the run is, unless there is one, and waits until it is on the disk. */
  async keepNow(): Promise<void> {
    if (this.#training.trainer.step !== this.#lastStep) await this.keep();
    await this.settle();
  }

  /** Waits until nothing is being written, whatever became of it. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** Waits until what is kept is on the disk. */
  async settle(): Promise<void> {
    await this.#writing;
    if (this.#failure) throw this.#failure.error;
  }

  /** Frees the weights that it keeps. */
  [Symbol.dispose](): void {
    this.stopping?.dispose();
  }

  #rewind({ state, notes: { stopping, plateau, rateFactor, loss } }: Kept): void {
    const { trainer, ...training } = this.#training;
    trainer.restore(...this.#fitted(state));
    this.stopping?.resume(stopping ?? { best: null, waited: 0, epoch: trainer.epoch, bestEpoch: 0 });
    if (plateau) training.plateau?.restore(plateau);
    training.setRateFactor(rateFactor);
    this.#rateFactor = rateFactor;
    this.#loss = loss;
    this.#lastStep = state.step;
    this.#hasNewRate = false;
  }

  async #write(last: Promise<Kept>): Promise<void> {
    const { state, notes } = await last;
    this.#training.model.device.check();
    await this.#folder.flush(notes.logged);
    await this.#checkpoints.write(state, notes);
  }

  #isDue(step: number): boolean {
    if (!this.#checkpoints.isKept || step === this.#lastStep) return false;
    // What cannot be written should be known at once.
    if (this.#lastStep === undefined || this.#hasNewRate) return true;
    const { steps, seconds = Infinity } = this.#config.checkpointEvery;
    const since = performance.now() - this.#lastTime;
    // Ranks with steps of their own are not asked at every step.
    if (steps !== undefined && Math.floor(step / steps) > Math.floor(this.#lastStep / steps)) return true;
    if (this.#isWriting) return false;
    const endsEpoch = step % this.#training.trainer.stepsPerEpoch === 0;
    return since >= seconds * 1000 || (endsEpoch && since >= EPOCH_INTERVAL);
  }

  #notes(): RunNotes {
    const { trainer, plateau } = this.#training;
    const { stepsPerEpoch } = trainer;
    return {
      stepsPerEpoch,
      logged: this.#folder.logged,
      loss: trainer.step % stepsPerEpoch === 0 ? this.#loss : null,
      seconds: this.seconds,
      rateFactor: this.#rateFactor,
      stopping: this.stopping?.state ?? null,
      plateau: plateau?.state ?? null,
      origin: this.#origin,
    };
  }

  /** The state with the best weights as PATIENCE asks for now: it may have been changed. */
  #fitted(state: TrainingState): [TrainingState, Record<string, Tensor>] {
    const hasBest = Object.keys(state.tensors).some((name) => name.startsWith("best."));
    if (hasBest && this.stopping) return [state, { best: this.stopping.best }];
    const tensors = Object.fromEntries(Object.entries(state.tensors).filter(([name]) => !name.startsWith("best.")));
    return [{ ...state, tensors }, {}];
  }
}
