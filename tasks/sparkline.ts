/** Curves as a line of blocks. */

const BLOCKS = "▁▂▃▄▅▆▇█";

/** The range that curves are drawn in. */
export interface Range {
  readonly low: number;
  readonly high: number;
}

/**
 * The range of several curves; the same for all, so that they can be compared.
 *
 * @param curves Their values; those that are not above 0 have no place on a logarithmic scale.
 * @returns The lowest and the highest.
 */
export function rangeOf(curves: readonly (readonly number[])[]): Range {
  const shown = curves.flat().filter(isShown);
  return { low: shown.reduce((a, b) => Math.min(a, b), Infinity), high: shown.reduce((a, b) => Math.max(a, b), 0) };
}

/**
 * Draws a curve on a logarithmic scale.
 *
 * @param values Its values, one for each block; NaN leaves a space.
 * @param range From the lowest block to the highest.
 * @returns As many characters.
 */
export function sparkline(values: readonly number[], { low, high }: Range): string {
  const span = Math.log(high / low);
  return values.map((value) => {
    if (!isShown(value)) return value === 0 ? BLOCKS[0] : " ";
    const place = span > 0 ? Math.log(value / low) / span : 0;
    return BLOCKS[Math.round(Math.min(1, Math.max(0, place)) * (BLOCKS.length - 1))];
  }).join("");
}

function isShown(value: number): boolean {
  return value > 0 && value < Infinity;
}
