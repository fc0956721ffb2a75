/** One network in training: what is behind the page, without the page. It is the same in Deno and in a browser. */

import type { Device } from "../../lib/gpu/device.ts";
import { evaluate } from "../../lib/evaluate/evaluation.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { layerNames, Model } from "../../lib/core/model.ts";
import { encodeModel } from "../../lib/model_file/bytes.ts";
import { createOptimizer, type Optimizer } from "../../lib/core/optimizers.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import { Random } from "../../lib/base/random.ts";
import type { ReferenceModel } from "../../lib/reference/mod.ts";
import { LOSSES } from "../../lib/core/losses.ts";
import { type ModelDescription, SavedModel } from "../../lib/model_file/saved_model.ts";
import { readAll, Tensor, type TensorData } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import type { EpochResult } from "../../lib/training/trainer_options.ts";
import { type PlayData, scaledRows } from "./datasets.ts";
import { type Op, passOps, updateOps } from "./ops_walk.ts";
import type { Settings } from "./settings.ts";

/** An epoch, as metrics.jsonl has it. */
export interface EpochPoint {
  readonly epoch: number;
  readonly step: number;
  readonly trainLoss: number;
  readonly valLoss: number | null;
  readonly learningRate: number;
}

/** How good the network is now. */
export interface Measure {
  readonly train: number;
  readonly validation: number;
  /** Share of validation rows whose class is right. */
  readonly accuracy?: number;
}

/** Rows that are looked at for the heat maps. */
const SAMPLE_ROWS = 32;

/** A network, its optimizer and its rows. */
export class Session implements Disposable {
  readonly model: Model;
  readonly data: PlayData;
  readonly settings: Settings;
  /** A line per epoch. */
  readonly points: EpochPoint[] = [];
  readonly #loss: ModelDescription["loss"];
  readonly #optimizer: Optimizer;
  readonly #trainer: Trainer;
  readonly #parts: Record<
    "training" | "validation",
    { x: Tensor; y: Tensor; values: Float32Array; predictor: Predictor }
  >;
  readonly #stack = new DisposableStack();

  /** Puts all on the GPU. */
  constructor(device: Device, data: PlayData, settings: Settings, given?: SavedModel) {
    const { hidden, activation, seed, optimizer, learningRate } = settings;
    const { features, targets } = data;
    using stack = new DisposableStack();
    const build = () => {
      const layers = multilayerPerceptron(features.length, hidden, targets.length, { activation });
      const init = { kind: activation === "tanh" || activation === "sigmoid" ? "xavier" : "kaiming" } as const;
      return new Model(device, layers, { init, random: new Random(seed, "weights") });
    };
    this.model = stack.use(given?.model ?? build());
    this.data = data;
    this.settings = settings;
    this.#loss = LOSSES[data.rows.loss];
    this.#optimizer = stack.use(createOptimizer(optimizer, this.model, learningRate));
    const place = (rows: readonly number[]) => {
      const { x, y } = scaledRows(data, rows);
      return {
        x: stack.use(Tensor.from(device, x, [rows.length, features.length])),
        y: stack.use(Tensor.from(device, y, [rows.length, targets.length])),
        values: y,
        predictor: stack.use(new Predictor(this.model, features.length, rows.length)),
      };
    };
    this.#parts = { training: place(data.training), validation: place(data.validation) };
    const batchSize = Math.min(settings.batchSize, data.training.length);
    const { x, y } = this.#parts.training;
    this.#trainer = stack.use(
      new Trainer({ model: this.model, loss: this.#loss, optimizer: this.#optimizer, x, y, batchSize, seed }),
    );
    this.#stack.use(stack.move());
  }

  /** Steps done. */
  get step(): number {
    return this.#trainer.step;
  }

  /** Whole epochs done. */
  get epoch(): number {
    return this.#trainer.epoch;
  }

  /** Steps of an epoch. */
  get stepsPerEpoch(): number {
    return this.#trainer.stepsPerEpoch;
  }

  /** Layers' names: z1, a1, z2. */
  get names(): string[] {
    return layerNames(this.model.layers);
  }

  /** Takes effect at the next step. */
  set learningRate(value: number) {
    this.#optimizer.learningRate = value;
  }

  get learningRate(): number {
    return this.#optimizer.learningRate;
  }

  /**
   * Trains.
   *
   * @throws {NotFiniteError} If a loss or a value is not finite any more.
   */
  async train(epochs: number): Promise<void> {
    const options = { evaluate: () => this.#lossOf("validation") };
    for await (const result of this.#trainer.epochs(epochs, options)) this.#keep(result);
  }

  /** Goes one step on. */
  async trainStep(): Promise<void> {
    const last = this.step + 1;
    const options = { evaluate: () => this.#lossOf("validation"), between: (step: number) => last - step };
    for await (const result of this.#trainer.epochs(1, options)) this.#keep(result);
  }

  /** Losses and accuracy of the weights as they are now. */
  async measure(): Promise<Measure> {
    const [train, validation] = await Promise.all([this.#evaluate("training"), this.#evaluate("validation")]);
    return { train: train.loss, validation: validation.loss, accuracy: validation.accuracy };
  }

  /** The layers' outputs, in one wait. */
  async outputs(scaled: Float32Array): Promise<TensorData[]> {
    const { device } = this.model;
    const features = this.data.features.length;
    using stack = new DisposableStack();
    const seen = device.tidy(() => {
      const x = Tensor.from(device, scaled, [scaled.length / features, features]);
      const layers: Tensor[] = [];
      this.model.forward(x, { observe: (_, tensor) => layers.push(tensor) });
      return layers;
    });
    for (const tensor of seen) stack.use(tensor);
    return await readAll(seen);
  }

  /** The operations of a pass over a sample of the training rows, for the heat maps: nothing changes. */
  async look(): Promise<Op[]> {
    const { x, y } = this.#parts.training;
    const rows = Math.min(SAMPLE_ROWS, x.shape[0]);
    const features = this.data.features.length;
    const targets = this.data.targets.length;
    return await passOps(this.model, this.#loss, x.view(0, [rows, features]), y.view(0, [rows, targets]));
  }

  /** The rows that the next step sees, scaled. */
  nextBatch(): { rows: number; x: Float32Array; y: Float32Array } {
    const numbers = [...this.#trainer.rowsOf(this.step + 1)].map((row) => this.data.training[row]);
    return { rows: numbers.length, ...scaledRows(this.data, numbers) };
  }

  /** The operations of the next step up to the update, each by itself: nothing changes. */
  async walk(): Promise<Op[]> {
    const { rows, x, y } = this.nextBatch();
    const { device } = this.model;
    using inputs = Tensor.from(device, x, [rows, this.data.features.length]);
    using targets = Tensor.from(device, y, [rows, this.data.targets.length]);
    return await passOps(this.model, this.#loss, inputs, targets);
  }

  /** Does the step that {@linkcode Session.walk} has walked through, and gives the parameters behind it. */
  async update(): Promise<Op[]> {
    await this.trainStep();
    return updateOps(this.model, this.#optimizer.kind, this.learningRate, await this.model.read());
  }

  /** The network in float64, with the weights of this moment. */
  async reference(): Promise<ReferenceModel> {
    return await this.model.reference(this.#loss.reference);
  }

  /** What a file says of the model. */
  describe(): ModelDescription {
    const { rows: { table }, features, targets, scalers, baseline } = this.data;
    const { seed, ...rest } = this.settings;
    const settings = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, `${value}`]));
    return { table, features, targets, scalers, loss: this.#loss, settings, seed, baseline };
  }

  /** Predicts one row. */
  async predict(raw: readonly number[]): Promise<Float64Array> {
    return await new SavedModel(this.model, this.describe()).predict(raw); // not disposed of: the model is ours
  }

  /** The bytes of the model's file. */
  async encode(): Promise<Uint8Array<ArrayBuffer>> {
    return await encodeModel(this.model, this.describe());
  }

  /** Frees the GPU's memory. */
  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  #keep({ epoch, step, loss, evaluation }: EpochResult<number | null>): void {
    this.points.push({ epoch, step, trainLoss: loss, valLoss: evaluation, learningRate: this.learningRate });
  }

  async #lossOf(part: "validation"): Promise<number | null> {
    return (await this.#evaluate(part)).loss;
  }

  async #evaluate(part: "training" | "validation") {
    const { x, values, predictor } = this.#parts[part];
    return evaluate(await predictor.predict(x), values, this.#loss, this.data.scalers.targets);
  }
}
