/** A grid over the plane of the inputs, at which the network is evaluated. */

import { rangeOf } from "../charts/frame.ts";
import type { PlayData } from "./datasets.ts";

export interface Grid {
  /** Places across, from the smallest of the first input on. */
  readonly across: number;
  /** Places down, from the largest of the second input on; 1 where there is one input. */
  readonly down: number;
  readonly rows: number;
  /** Inputs [rows, features], scaled; inputs beyond the first two have their means. */
  readonly scaled: Float32Array;
}

export interface Extent {
  readonly x: readonly [low: number, high: number];
  readonly y: readonly [low: number, high: number];
}

/** The range of the first two inputs, or of a single input and the target, with a margin. */
export function extentOf({ rows: { x, y }, features, targets }: PlayData): Extent {
  const range = (values: Float64Array, width: number, place: number): [number, number] => {
    const [low, high] = rangeOf(values.filter((_, i) => i % width === place));
    const margin = (high - low || 1) * 0.06;
    return [low - margin, high + margin];
  };
  const across = range(x, features.length, 0);
  return { x: across, y: features.length > 1 ? range(x, features.length, 1) : range(y, targets.length, 0) };
}

export function gridOf(data: PlayData, across: number, down: number): Grid {
  const { features, scalers, rows: { x } } = data;
  const width = features.length;
  const lines = width > 1 ? down : 1;
  const { x: [left, right], y: [low, high] } = extentOf(data);
  const means = new Float64Array(width);
  x.forEach((value, i) => means[i % width] += value * width / x.length);
  const raw = new Float64Array(across * lines * width);
  for (let row = 0; row < across * lines; row++) {
    raw.set(means, row * width);
    raw[row * width] = left + (right - left) * ((row % across + 0.5) / across);
    if (width > 1) raw[row * width + 1] = high - (high - low) * ((Math.floor(row / across) + 0.5) / lines);
  }
  return { across, down: lines, rows: across * lines, scaled: Float32Array.from(scalers.inputs.transform(raw)) };
}
