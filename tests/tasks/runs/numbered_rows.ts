/** A source of very many rows that are not in memory. */

import { assert } from "@std/assert";
import type { RowBlock, RowSource } from "../../../lib/data/row_source.ts";

/** Rows whose input is their number, computed when they are asked for; notes how many were read at once. */
export class Numbers implements RowSource {
  readonly inputs = 1;
  readonly targets = 1;
  most = 0;

  constructor(readonly rows: number) {}

  read(start: number, count: number): Promise<RowBlock> {
    assert(start >= 0 && start + count <= this.rows, `${count} rows from ${start} of ${this.rows}`);
    this.most = Math.max(this.most, count);
    const x = Float32Array.from({ length: count }, (_, i) => start + i);
    return Promise.resolve({ x, y: x.map((value) => -value) });
  }
}
