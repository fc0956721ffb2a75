/** What the sections of a report share. */

import type { Figure } from "./figures.ts";
import type { Html } from "../../charts/html.ts";

/** A part of the page with a heading. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly lead?: Html | string;
  readonly figures: readonly Figure[];
  readonly tables?: readonly Html[];
  /** Figures that are small stand side by side. */
  readonly layout?: "small" | "pairs";
}

/** Rows of a table at most. */
export const MOST_ROWS = 24;

/** The first and the last of a long list: what a table shows of it. */
export function shownOf<T>(list: readonly T[]): readonly T[] {
  const half = MOST_ROWS / 2;
  return list.length > MOST_ROWS ? [...list.slice(0, half), ...list.slice(-half)] : list;
}
