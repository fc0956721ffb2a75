/**
 * What many ranks would reach, from what two do. A step of n ranks that share it takes
 *
 *     t(n) = compute + wait + 2 ceil(log2 n) latency + 2 (n - 1) / n * bytes / bandwidth
 *
 * with the compute of ranks that never meet, the wait for the read-back and what else an exchange costs a rank itself, and the
 * all-reduce of Rabenseifner 2004, whose bytes no other undercuts (Patarasuk and Yuan 2009). Of steps of a rank's own, one
 * in every K has the wait and the all-reduce. Every rank has as many rows as before: ideal is n times the rate of one.
 */

import { formatTable } from "../show/text_table.ts";

/** An all-reduce between two ranks. */
export interface Exchange {
  readonly bytes: number;
  readonly seconds: number;
}

/** Seconds of a step, and bytes that it exchanges. */
export interface Runs {
  /** Two ranks that never meet. */
  readonly compute: number;
  /** Two ranks that share each step, through shared memory. */
  readonly shared: number;
  /** Two ranks with 16 steps of their own. */
  readonly local: number;
  readonly bytes: number;
}

/** How fast ranks reach each other. */
export interface Network {
  /** Seconds. */
  readonly latency: number;
  /** Bytes a second. */
  readonly bandwidth: number;
}

/** Steps of a rank's own in {@linkcode Runs}. */
const LOCAL = 16;

/** How many ranks. */
const SIZES = [2, 64, 1024];

/** A network by its all-reduces between two ranks, which take `2 latency + bytes / bandwidth`. */
export function networkOf(exchanges: readonly Exchange[]): Network {
  const small = exchanges[0];
  const large = exchanges.at(-1)!;
  const bandwidth = (large.bytes - small.bytes) / Math.max(large.seconds - small.seconds, 1e-9);
  return { latency: Math.max(small.seconds - small.bytes / bandwidth, 0) / 2, bandwidth };
}

/** Seconds of an all-reduce. */
export function allReduceSeconds(ranks: number, bytes: number, { latency, bandwidth }: Network): number {
  return 2 * Math.ceil(Math.log2(ranks)) * latency + 2 * (ranks - 1) / ranks * bytes / bandwidth;
}

/** The projection. */
export function project(
  { compute, shared: step, local, bytes }: Runs,
  shared: readonly Exchange[],
  tcp: readonly Exchange[],
): string {
  const here = networkOf(shared);
  const network = networkOf(tcp);
  const exchange = allReduceSeconds(2, bytes, here);
  const wait = Math.max(step - compute - exchange, 0);
  const localWait = Math.max(LOCAL * (local - compute) - exchange, 0);
  const rows = SIZES.map((ranks) => {
    const seconds = allReduceSeconds(ranks, bytes, network);
    const each = compute / (compute + wait + seconds);
    const own = compute / (compute + (localWait + seconds) / LOCAL);
    return [`${ranks}`, (1000 * seconds).toFixed(2), each.toFixed(2), own.toFixed(2)];
  });
  const ms = (value: number) => `${(1000 * value).toFixed(2)} ms`;
  return [
    `compute ${ms(compute)} a step, wait ${ms(wait)}, of a meeting after ${LOCAL} steps ${
      ms(localWait)
    }; by TCP latency ` +
    `${(1e6 * network.latency).toFixed(0)} us, ${(network.bandwidth / 1e9).toFixed(2)} GB/s; ${
      Math.round(bytes)
    } bytes`,
    formatTable([["ranks", "all-reduce, ms", "of ideal, shared steps", `of ideal, --sync-every ${LOCAL}`], ...rows]),
  ].join("\n");
}
