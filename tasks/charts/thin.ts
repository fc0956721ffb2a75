/** Long curves with fewer points that look the same. */

/** A place of a curve; without y there is a gap. */
export interface Place {
  readonly x: number;
  readonly y: number | null;
}

/**
 * Divides the range of x into stretches, and keeps of each the first place, the lowest, the highest, the last, and a gap: what
 * a column of pixels shows of a curve.
 */
export function thin<P extends Place>(places: readonly P[], stretches: number): readonly P[] {
  if (places.length <= stretches * 4) return places;
  const low = places[0].x;
  const width = (places.at(-1)!.x - low) / stretches || 1;
  const isGap = (i: number) => places[i].y === null || !Number.isFinite(places[i].y);
  const groups = Map.groupBy(places.keys(), (i) => Math.floor((places[i].x - low) / width));
  return groups.values().flatMap((all) => {
    const sorted = all.filter((i) => !isGap(i)).sort((a, b) => places[a].y! - places[b].y!);
    const chosen = new Set([all[0], sorted[0], sorted.at(-1), all.find(isGap), all.at(-1)]);
    return [...chosen].filter((i) => i !== undefined).sort((a, b) => a - b).map((i) => places[i]);
  }).toArray();
}
