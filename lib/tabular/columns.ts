/**
 * The columns of a table as the layer before a network knows them.
 *
 * @module
 */
import { formatShape } from "../base/shape.ts";

/** What becomes of numbers: x alone; x and three mixes of waves; a value for each of 16 bins. */
export type NumericEmbedding = "none" | "pbld" | "piecewise";

/** The embeddings by name. */
export const NUMERIC_EMBEDDINGS: readonly NumericEmbedding[] = ["none", "pbld", "piecewise"];

/** A column of a table: one value of a row. */
export type EmbeddedColumn =
  | {
    /** A number. */
    readonly kind: "number";
    /** Under `piecewise`: the 17 edges of its bins, in the units of the rows, each no less than the one before. */
    readonly edges?: readonly number[];
  }
  | {
    /** The number of a category, from 0. */
    readonly kind: "names";
    /** How many categories. */
    readonly names: number;
    /** Values of a trained row for each category; without it categories are one-hot. */
    readonly width?: number;
    /** Share of the rows of each category: the number `names` then stands for a name never seen, the mix of all. */
    readonly shares?: readonly number[];
  };

/** Bins of a number. */
export const BINS = 16;

/** What stands for no row and no share in the kernels' tables. */
export const NONE = 0xffff_ffff;

/** The width of trained rows: all columns that have any share it. */
export function widthOf(columns: readonly EmbeddedColumn[]): number {
  return columns.flatMap((column) => column.kind === "names" && column.width !== undefined ? column.width : []).at(0) ??
    0;
}

/** Refuses columns that cannot be embedded. */
export function checkColumns(columns: readonly EmbeddedColumn[], numbers: NumericEmbedding): void {
  const width = widthOf(columns);
  for (const [i, column] of columns.entries()) {
    const refuse = (problem: string) => {
      throw new RangeError(`Cannot embed column ${i}: ${problem}`);
    };
    if (column.kind === "number") {
      const { edges = [] } = column;
      const isRising = edges.every((edge, k) => Number.isFinite(edge) && !(edge < edges[k - 1]));
      if (numbers === "piecewise" && (edges.length !== BINS + 1 || !isRising)) {
        refuse(`need ${BINS + 1} edges in order for piecewise bins, found ${formatShape(edges)}`);
      }
      continue;
    }
    const { names, shares, width: own = width } = column;
    const isCount = (value: number) => Number.isSafeInteger(value) && value >= 1;
    if (!isCount(names) || names >= NONE) refuse(`${names} categories, need at least one`);
    if (column.width !== undefined && (!isCount(own) || own !== width)) {
      refuse(`rows of ${own} values, need at least one, and as many in all columns: ${width}`);
    }
    if (shares && (shares.length !== names || !shares.every((share) => share >= 0 && share <= 1))) {
      refuse(`${shares.length} shares for ${names} categories, need one from 0 to 1 for each`);
    }
  }
}
