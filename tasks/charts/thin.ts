/** Long curves with fewer points, such that they look the same. */

/** A place of a curve; y may be missing, which leaves a gap. */
export interface Place {
  readonly x: number;
  readonly y: number | null;
}

/**
 * Keeps of each of so many stretches of x the first place, the lowest, the highest and the last: what a column of pixels
 * shows of a curve. One of its gaps stays too.
 */
export function thin<P extends Place>(places: readonly P[], stretches: number): readonly P[] {
  if (places.length <= stretches * 4) return places;
  const low = places[0].x;
  const width = (places.at(-1)!.x - low) / stretches || 1;
  const kept: P[] = [];
  for (let start = 0; start < places.length;) {
    const stretch = stretchOf(places[start], low, width);
    let end = start + 1;
    let lowest = -1;
    let highest = -1;
    let gap = -1;
    while (end < places.length && stretchOf(places[end], low, width) === stretch) end++;
    for (let i = start; i < end; i++) {
      const { y } = places[i];
      if (y === null || !Number.isFinite(y)) gap = i;
      else {
        if (lowest < 0 || y < places[lowest].y!) lowest = i;
        if (highest < 0 || y > places[highest].y!) highest = i;
      }
    }
    const chosen = new Set([start, lowest, highest, gap, end - 1].filter((i) => i >= 0));
    for (const i of [...chosen].sort((a, b) => a - b)) kept.push(places[i]);
    start = end;
  }
  return kept;
}

function stretchOf({ x }: Place, low: number, width: number): number {
  return Math.floor((x - low) / width);
}
