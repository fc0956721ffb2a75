/** Losses as a line of small bars, on a logarithmic scale. */

const BARS = "▁▂▃▄▅▆▇█";

/** The most points that are kept, more than any terminal has columns. */
const CAPACITY = 1_024;

/** A value over time, in constant memory: if there are many, neighbours are replaced by their mean. */
export class Curve {
  /** The latest value; undefined before the first. */
  latest: number | undefined;
  #points: number[] = [];
  #stride = 1;
  #sum = 0;
  #count = 0;

  push(value: number): void {
    this.latest = value;
    this.#sum += value;
    if (++this.#count < this.#stride) return;
    this.#points.push(this.#sum / this.#count);
    this.#sum = 0;
    this.#count = 0;
    if (this.#points.length < CAPACITY) return;
    this.#points = means(this.#points, CAPACITY / 2);
    this.#stride *= 2;
  }

  /** The curve, from its first value to its latest. */
  points(count: number): number[] {
    const all = this.#count > 0 ? [...this.#points, this.#sum / this.#count] : this.#points;
    return all.length <= count ? [...all] : means(all, count);
  }
}

/** Draws curves on one scale, logarithmic if all values are above 0. */
export function sparklines(curves: readonly (readonly number[])[]): string[] {
  const all = curves.flat().filter(Number.isFinite);
  const low = Math.min(...all);
  const high = Math.max(...all);
  const scale = low > 0 ? Math.log : (value: number) => value;
  const span = scale(high) - scale(low);
  const bar = (value: number) => barAt(span > 0 ? (scale(value) - scale(low)) / span : 0);
  return curves.map((values) => values.map(bar).join(""));
}

/** The bar for a share of the height; NaN gives the highest. */
function barAt(share: number): string {
  return BARS[Math.round(Math.min(Math.max(share, 0), 1) * (BARS.length - 1))] ?? BARS.at(-1)!;
}

/** The means of so many groups of neighbours. */
function means(values: readonly number[], count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    const part = values.slice(Math.floor(i * values.length / count), Math.floor((i + 1) * values.length / count));
    return part.reduce((sum, value) => sum + value, 0) / part.length;
  });
}

export interface Range {
  readonly low: number;
  readonly high: number;
}

/** The range of several curves together, so that they can be compared. */
export function rangeOf(curves: readonly (readonly number[])[]): Range {
  const shown = curves.flat().filter(isShown);
  return { low: shown.reduce((a, b) => Math.min(a, b), Infinity), high: shown.reduce((a, b) => Math.max(a, b), 0) };
}

/** Draws a curve on a logarithmic scale. */
export function sparkline(values: readonly number[], { low, high }: Range): string {
  const span = Math.log(high / low);
  return values.map((value) => {
    if (!isShown(value)) return value === 0 ? BARS[0] : " ";
    return barAt(span > 0 ? Math.log(value / low) / span : 0);
  }).join("");
}

function isShown(value: number): boolean {
  return value > 0 && value < Infinity;
}
