/** What the live page shows of a run: series that stay short in a long run, and the part of them that a page has not got yet. */

import type { EpochLine, RunFacts } from "../show/view.ts";
import type { LayerRecord } from "../charts/charts.ts";

const MAX_POINTS = 1_000;

/** The most records of the layers; each has several numbers per layer. */
const MAX_LAYER_RECORDS = 200;

/** The most messages, and the most characters of one. */
const MAX_MESSAGES = 100;
const MAX_TEXT = 2_000;

export interface LiveStatus {
  phase: "training" | "pausing" | "paused" | "stopping" | "over";
  step: number;
  /** Recent steps per second; null if there are none. */
  stepsPerSecond: number | null;
  /** The factor of the learning rate now, and the one that was asked for. */
  rateFactor: number;
  askedFactor: number;
  learningRate: number;
}

/** A message to the user, after so many steps. */
export interface LiveMessage {
  kind: "warning" | "note";
  step: number;
  text: string;
}

/** What a page is sent: with `isWhole` everything, else only the news. */
export interface LiveUpdate {
  isWhole: boolean;
  facts: RunFacts | null;
  status: LiveStatus;
  points: EpochLine[];
  layers: LayerRecord[];
  messages: LiveMessage[];
  /** The last epoch, and the one with the lowest validation loss; `points` may lack them. */
  last: EpochLine | null;
  best: EpochLine | null;
}

/** How much a page has been sent. */
export interface Cursor {
  readonly generation: number;
  readonly points: number;
  readonly layers: number;
  readonly messages: number;
}

/** Every n-th element of a series; n doubles whenever there would be too many. */
export class Thinned<T> {
  /** The elements that stay; always the first one. */
  items: T[] = [];
  /** How often elements were removed, so that pages need everything again. */
  generation = 0;
  readonly #most: number;
  #stride = 1;
  #seen = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Removes elements that are no longer true. */
  drop(isGone: (item: T) => boolean): void {
    const { length } = this.items;
    this.items = this.items.filter((item) => !isGone(item));
    if (this.items.length < length) this.generation++;
  }

  /** Adds an element if it is its turn. */
  push(item: T): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.items.push(item);
    if (this.items.length <= this.#most) return;
    this.items = this.items.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
    this.generation++;
  }
}

export class LiveHistory {
  facts: RunFacts | null = null;
  readonly #points = new Thinned<EpochLine>(MAX_POINTS);
  readonly #layers = new Thinned<LayerRecord>(MAX_LAYER_RECORDS);
  #messages: LiveMessage[] = [];
  #told = 0;
  #last: EpochLine | null = null;
  #best: EpochLine | null = null;

  epoch(line: EpochLine): void {
    if (this.#last && line.epoch <= this.#last.epoch) this.#takeBack(line.epoch);
    this.#points.push(line);
    this.#last = line;
    if (line.valLoss !== null && !(this.#best && this.#best.valLoss! <= line.valLoss)) this.#best = line;
  }

  layers(record: LayerRecord): void {
    this.#layers.drop(({ epoch }) => epoch >= record.epoch);
    this.#layers.push(record);
  }

  /** Removes epochs that a return to a checkpoint has undone; the best is then the best of the points. */
  #takeBack(from: number): void {
    this.#points.drop(({ epoch }) => epoch >= from);
    this.#layers.drop(({ epoch }) => epoch > from);
    if (!this.#best || this.#best.epoch < from) return;
    const judged = this.#points.items.filter(({ valLoss }) => valLoss !== null);
    this.#best = judged.toSorted((a, b) => a.valLoss! - b.valLoss!)[0] ?? null;
  }

  message(kind: LiveMessage["kind"], text: string, step: number): void {
    this.#told++;
    this.#messages.push({ kind, step, text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)} ...` : text });
    if (this.#messages.length > MAX_MESSAGES) this.#messages.shift();
  }

  /** What a page has not got yet. */
  since(cursor: Cursor | undefined, status: LiveStatus): [update: LiveUpdate, cursor: Cursor] {
    const generation = this.#points.generation + this.#layers.generation;
    const isWhole = cursor?.generation !== generation;
    const from = isWhole ? { points: 0, layers: 0, messages: 0 } : cursor;
    const unsent = this.#told - from.messages;
    const update: LiveUpdate = {
      isWhole,
      facts: this.facts,
      status,
      points: this.#points.items.slice(from.points),
      layers: this.#layers.items.slice(from.layers),
      messages: unsent > 0 ? this.#messages.slice(-unsent) : [],
      last: this.#last,
      best: this.#best,
    };
    const points = this.#points.items.length;
    return [update, { generation, points, layers: this.#layers.items.length, messages: this.#told }];
  }
}
