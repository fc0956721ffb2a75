/**
 * How the processes of one training communicate. All train the same model, each on its own rows. Whatever they share goes
 * through a communicator: every rank calls the same methods in the same order.
 *
 * @module
 */

/** How values of several ranks become one. */
export type Reduction = "sum" | "min" | "max";

/** Numbers that can be reduced. */
export type Reducible = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** The ranks of one training, as one of them sees them. */
export interface Communicator {
  /** Which rank this is, from 0. */
  readonly rank: number;
  /** How many ranks there are. */
  readonly size: number;
  /**
   * Reduces values element by element over all ranks, in place; all ranks end with the same bits.
   *
   * @param values As many on every rank, of the same type.
   * @param how By default their sum.
   */
  allReduce(values: Reducible, how?: Reduction): Promise<void>;
  /**
   * Gives all ranks the bytes of rank 0, in place.
   *
   * @param bytes As many on every rank.
   */
  broadcast(bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Waits until every rank has come here. */
  barrier(): Promise<void>;
  /**
   * Gathers what each rank has at rank 0.
   *
   * @param bytes This rank's; each may have another length.
   * @returns Those of all ranks, in their order, at rank 0; elsewhere nothing.
   */
  gather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[] | undefined>;
}

/**
 * One process by itself: it has nobody to wait for.
 *
 * @example
 * ```ts
 * import { ALONE, type Communicator } from "@backhand/backhand";
 * import { assertEquals } from "@std/assert";
 * const communicator: Communicator = ALONE, values = Float32Array.of(1, 2);
 * await communicator.allReduce(values);
 * assertEquals([communicator.rank, communicator.size, ...values], [0, 1, 1, 2]);
 * ```
 */
export const ALONE: Communicator = {
  rank: 0,
  size: 1,
  allReduce: () => Promise.resolve(),
  broadcast: () => Promise.resolve(),
  barrier: () => Promise.resolve(),
  gather: (bytes) => Promise.resolve([bytes]),
};
