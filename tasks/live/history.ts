/** What the live page shows of a run, however long it is: series that stay short, and what of them a page has not seen yet. */

import type { RunFacts } from "../show/spectator.ts";
import type { EpochLine } from "../show/train_report.ts";
import type { LayerLook } from "../charts/charts.ts";

/** Points of a curve that are kept at most. */
const MAX_POINTS = 1_000;

/** Looks at the layers that are kept at most; each has several numbers a layer. */
const MAX_LOOKS = 200;

/** Messages that are kept, the latest, and characters of each. */
const MAX_MESSAGES = 100;
const MAX_TEXT = 2_000;

/** Where a run is. */
export interface LiveStatus {
  phase: "training" | "pausing" | "paused" | "stopping" | "over";
  /** Steps that are done. */
  step: number;
  /** Steps a second, of late; null where none have been done. */
  stepsPerSecond: number | null;
  /** What the learning rates of the settings are multiplied by, and what they will be as soon as the run holds. */
  rateFactor: number;
  askedFactor: number;
  /** That of the next step. */
  learningRate: number;
}

/** What the user was told. */
export interface LiveMessage {
  kind: "warning" | "note";
  /** Steps that were done. */
  step: number;
  text: string;
}

/** What a page is sent: with `anew` in the place of all it has, else in addition to it. */
export interface LiveUpdate {
  anew: boolean;
  facts: RunFacts | null;
  status: LiveStatus;
  points: EpochLine[];
  looks: LayerLook[];
  messages: LiveMessage[];
  /** The last epoch, and the one with the lowest validation loss, which may be none of the points. */
  last: EpochLine | null;
  best: EpochLine | null;
}

/** What a page has been sent. */
export interface Cursor {
  readonly generation: number;
  readonly points: number;
  readonly looks: number;
  readonly messages: number;
}

/** Every so manyth element of a series, twice as far apart whenever there would be too many. */
export class Thinned<T> {
  /** Those that are kept, the first one always. */
  items: T[] = [];
  /** How often others went, so that what was sent is no longer what is kept. */
  generation = 0;
  readonly #most: number;
  #stride = 1;
  #seen = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes elements away that are no longer true. */
  drop(isGone: (item: T) => boolean): void {
    const kept = this.items.filter((item) => !isGone(item));
    if (kept.length === this.items.length) return;
    this.items = kept;
    this.generation++;
  }

  /** Adds an element, unless its turn is not yet. */
  push(item: T): void {
    if (this.#seen++ % this.#stride !== 0) return;
    this.items.push(item);
    if (this.items.length <= this.#most) return;
    this.items = this.items.filter((_, i) => i % 2 === 0);
    this.#stride *= 2;
    this.generation++;
  }
}

/** All that a page may be shown. */
export class LiveHistory {
  facts: RunFacts | null = null;
  readonly #points = new Thinned<EpochLine>(MAX_POINTS);
  readonly #looks = new Thinned<LayerLook>(MAX_LOOKS);
  #messages: LiveMessage[] = [];
  #told = 0;
  #last: EpochLine | null = null;
  #best: EpochLine | null = null;

  /** Notes the end of an epoch. */
  epoch(line: EpochLine): void {
    if (this.#last && line.epoch <= this.#last.epoch) this.#takeBack(line.epoch);
    this.#points.push(line);
    this.#last = line;
    if (line.valLoss !== null && !(this.#best && this.#best.valLoss! <= line.valLoss)) this.#best = line;
  }

  /** Notes a look at the layers. */
  layers(look: LayerLook): void {
    this.#looks.drop(({ epoch }) => epoch >= look.epoch);
    this.#looks.push(look);
  }

  /** Forgets epochs that a return to a checkpoint has undone; the best is the best of those that are kept. */
  #takeBack(from: number): void {
    this.#points.drop(({ epoch }) => epoch >= from);
    this.#looks.drop(({ epoch }) => epoch > from);
    if (!this.#best || this.#best.epoch < from) return;
    const judged = this.#points.items.filter(({ valLoss }) => valLoss !== null);
    this.#best = judged.reduce<EpochLine | null>(
      (best, one) => best && best.valLoss! <= one.valLoss! ? best : one,
      null,
    );
  }

  /** Notes what the user was told. */
  message(kind: LiveMessage["kind"], text: string, step: number): void {
    this.#told++;
    this.#messages.push({ kind, step, text: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)} ...` : text });
    if (this.#messages.length > MAX_MESSAGES) this.#messages.shift();
  }

  /** What a page lacks. */
  since(cursor: Cursor | undefined, status: LiveStatus): [update: LiveUpdate, cursor: Cursor] {
    const generation = this.#points.generation + this.#looks.generation;
    const anew = cursor?.generation !== generation;
    const from = anew ? { points: 0, looks: 0, messages: 0 } : cursor;
    const unsent = this.#told - from.messages;
    const update: LiveUpdate = {
      anew,
      facts: this.facts,
      status,
      points: this.#points.items.slice(from.points),
      looks: this.#looks.items.slice(from.looks),
      messages: unsent > 0 ? this.#messages.slice(-unsent) : [],
      last: this.#last,
      best: this.#best,
    };
    const { length: points } = this.#points.items;
    const { length: looks } = this.#looks.items;
    return [update, { generation, points, looks, messages: this.#told }];
  }
}
