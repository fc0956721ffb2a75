/** One network in training, without the page. It is the same in Deno and in a browser. */

import type { Device } from "../../lib/gpu/device.ts";
import { toRaw } from "../../lib/evaluate/evaluation.ts";
import { accuracy } from "../../lib/evaluate/metrics.ts";
import { multilayerPerceptron } from "../../lib/core/layers.ts";
import { layerNames, Model } from "../../lib/core/model.ts";
import { encodeModel } from "../../lib/model_file/bytes.ts";
import { createOptimizer, type Optimizer } from "../../lib/core/optimizers.ts";
import { Predictor } from "../../lib/evaluate/predictor.ts";
import { Random } from "../../lib/base/random.ts";
import { Matrix, type ReferenceModel } from "../../lib/reference/mod.ts";
import { LOSSES } from "../../lib/core/losses.ts";
import { type ModelDescription, SavedModel } from "../../lib/model_file/saved_model.ts";
import { readAll, Tensor, type TensorData } from "../../lib/core/tensor.ts";
import { Trainer } from "../../lib/training/trainer.ts";
import { type PlayData, scaledRows } from "./datasets.ts";
import type { EpochPoint } from "../charts/charts.ts";
import { type Op, passOps, updateOps } from "./ops_walk.ts";
import type { Settings } from "./settings.ts";

export interface Measure {
  readonly train: number;
  readonly validation: number;
  /** Share of validation rows whose class is right. */
  readonly accuracy?: number;
}

const SAMPLE_ROWS = 32;

export class Session implements Disposable {
  readonly model: Model;
  readonly data: PlayData;
  readonly settings: Settings;
  readonly points: EpochPoint[] = [];
  readonly #loss: ModelDescription["loss"];
  readonly #optimizer: Optimizer;
  readonly #trainer: Trainer;
  readonly #parts: Record<
    "training" | "validation",
    { x: Tensor; y: Tensor; values: Float32Array; predictor: Predictor }
  >;
  readonly #stack = new DisposableStack();

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

  get step(): number {
    return this.#trainer.step;
  }

  get epoch(): number {
    return this.#trainer.epoch;
  }

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
   * Trains for whole epochs, or with `between` until it returns 0.
   *
   * @throws {NotFiniteError} If a loss or a value is not finite.
   */
  async train(epochs: number, between?: (step: number) => number): Promise<void> {
    const options = { evaluate: async () => (await this.#evaluate("validation")).loss, between };
    for await (const { epoch, step, loss, evaluation } of this.#trainer.epochs(epochs, options)) {
      const { learningRate } = this;
      this.points.push({ epoch, step, trainLoss: loss, valLoss: evaluation, learningRate });
    }
  }

  /** Trains for one step. */
  async trainStep(): Promise<void> {
    const last = this.step + 1;
    await this.train(1, (step) => last - step);
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

  /** The operations of a pass over a sample of the training rows, for the heat maps. It changes nothing. */
  async look(): Promise<Op[]> {
    const { x, y } = this.#parts.training;
    const rows = Math.min(SAMPLE_ROWS, x.shape[0]);
    const sample = [x, y].map((all) => all.view(0, [rows, all.shape[1]]));
    return await passOps(this.model, this.#loss, sample[0], sample[1]);
  }

  /** The rows of the next step, scaled. */
  nextBatch(): { rows: number; x: Float32Array; y: Float32Array } {
    const numbers = [...this.#trainer.rowsOf(this.step + 1)].map((row) => this.data.training[row]);
    return { rows: numbers.length, ...scaledRows(this.data, numbers) };
  }

  /** The operations of the next step up to the update. They change nothing. */
  async walk(): Promise<Op[]> {
    const { rows, x, y } = this.nextBatch();
    const { device } = this.model;
    using inputs = Tensor.from(device, x, [rows, this.data.features.length]);
    using targets = Tensor.from(device, y, [rows, this.data.targets.length]);
    return await passOps(this.model, this.#loss, inputs, targets);
  }

  /** Does the step of {@linkcode Session.walk}; returns the parameters after it. */
  async update(): Promise<Op[]> {
    await this.trainStep();
    return updateOps(this.model, this.#optimizer.kind, this.learningRate, await this.model.read());
  }

  /** The network in float64, with the current weights. */
  async reference(): Promise<ReferenceModel> {
    return await this.model.reference(this.#loss.reference);
  }

  describe(): ModelDescription {
    const { rows: { table, notes }, features, targets, scalers, baseline } = this.data;
    const { seed, ...rest } = this.settings;
    const settings = Object.fromEntries(Object.entries(rest).map(([key, value]) => [key, `${value}`]));
    return { table, features, targets, scalers, loss: this.#loss, settings, seed, baseline, notes };
  }

  /** Predicts a row that was typed; the answer, or what is wrong with the text. */
  async answer(text: string): Promise<string> {
    const { features, targets, rows: { table: { target } } } = this.data;
    if (text.trim() === "") return "";
    const row = text.split(",").map((word) => word.trim() === "" ? NaN : Number(word));
    if (row.length !== features.length || row.some((value) => !Number.isFinite(value))) {
      return `need ${features.length} number${features.length > 1 ? "s" : ""}: ${features.join(", ")}`;
    }
    // Not disposed of: the model is the session's.
    const predicted = await new SavedModel(this.model, this.describe()).predict(row);
    // Of two classes the network gives the probability of the second.
    const isPair = target.kind === "classes" && targets.length === 1;
    const names = isPair ? [`probability of ${target.classes[1]}`] : targets;
    return names.map((name, i) => `${name}: ${Number(predicted[i].toPrecision(7))}`).join(", ");
  }

  async encode(): Promise<Uint8Array<ArrayBuffer>> {
    return await encodeModel(this.model, this.describe());
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }

  /** The loss, and of classes the share of rows that are right: no more of an evaluation, which takes sorting. */
  async #evaluate(part: "training" | "validation"): Promise<{ loss: number; accuracy?: number }> {
    const { x, values, predictor } = this.#parts[part];
    const { targets } = this.data.scalers;
    const columns = targets.columns.length;
    const rows = values.length / columns;
    const output = await predictor.predict(x);
    const loss = this.#loss.reference.forward(new Matrix(rows, columns, output), new Matrix(rows, columns, values));
    if (this.data.rows.table.target.kind !== "classes") return { loss };
    return { loss, accuracy: accuracy(toRaw(output, this.#loss, targets), values, columns) };
  }
}
