/** What one rank does in tests of MPI: the first argument says what, the others are that job's own. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Reducible, Reduction } from "../../lib/ranks/communicator.ts";
import { Mpi } from "../../lib/ranks/mpi.ts";
import { REDUCTIONS } from "./rank_group.ts";

const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Numbers that every rank can tell of every other: eighths, whose sums are exact in any order. */
const valueOf = (rank: number, i: number) => ((i * 31 + rank * 17) % 101 - 50) / 8;

async function checkReductions(mpi: Mpi): Promise<void> {
  for (const kind of [Float32Array, Float64Array]) {
    for (const how of ["sum", "min", "max"] as const) {
      for (const length of [0, 1, 3, 1001]) await checkReduction(mpi, new kind(length + 2), how);
    }
    await checkReduction(mpi, new kind(1_000_002), "sum");
  }
}

/** Reduces a part of an array, which must stay as it is elsewhere. */
async function checkReduction(mpi: Mpi, whole: Reducible, how: Reduction): Promise<void> {
  const values = whole.subarray(1, -1);
  const reduce = REDUCTIONS[how];
  whole.fill(7);
  for (let i = 0; i < values.length; i++) values[i] = valueOf(mpi.rank, i);
  await (how === "sum" ? mpi.allReduce(values) : mpi.allReduce(values, how));
  let wrong = 0;
  for (let i = 0; i < values.length; i++) {
    let expected = valueOf(0, i);
    for (let other = 1; other < mpi.size; other++) expected = reduce(expected, valueOf(other, i));
    if (values[i] !== expected) wrong++;
  }
  assertEquals([wrong, whole[0], whole.at(-1)], [0, 7, 7], `${how} of ${values.length} ${whole.constructor.name}`);
}

/** Sums that are not exact, and the larger of zeros of either sign, must come out with the same bits on all ranks. */
async function checkBits(mpi: Mpi): Promise<void> {
  const { rank, size } = mpi;
  const sums = Float32Array.from({ length: 10_007 }, (_, i) => Math.sin(i + 0.1) ** (rank + 1));
  const zeros = Float64Array.of(rank % 2 === 0 ? 0 : -0, rank % 2 === 0 ? -0 : 0);
  await mpi.allReduce(sums);
  await mpi.allReduce(zeros, "max");
  const bits = new Uint8Array([...new Uint8Array(sums.buffer), ...new Uint8Array(zeros.buffer)]);
  const all = await mpi.gather(bits);
  for (const other of all ?? []) assert(other.every((byte, i) => byte === bits[i]), "ranks differ in some bits");
  assertEquals(all?.length, rank === 0 ? size : undefined);
}

async function checkBytes(mpi: Mpi): Promise<void> {
  const { rank, size } = mpi;
  for (const length of [0, 1, 70_001]) {
    const bytes = Uint8Array.from({ length }, (_, i) => rank === 0 ? i : 255);
    await mpi.broadcast(bytes);
    assert(bytes.every((byte, i) => byte === (i & 255)), `broadcast of ${length}`);
    // The first has nothing to give in the first round, the last one in the second.
    const own = new Uint8Array(length * (length === 1 ? size - 1 - rank : rank)).fill(rank + 1);
    const gathered = await mpi.gather(own);
    const lengths = Array.from({ length: size }, (_, r) => length * (length === 1 ? size - 1 - r : r));
    assertEquals(gathered?.map((part) => part.length), rank === 0 ? lengths : undefined);
    gathered?.forEach((part, r) => assert(part.every((byte) => byte === r + 1), `what rank ${r} gave`));
  }
}

/** Calls that are not awaited one by one still happen one after the other, in the order in which they were made. */
async function checkOrder(mpi: Mpi): Promise<void> {
  const { rank, size } = mpi;
  const first = Float32Array.of(rank);
  const second = Float64Array.of(1, 2);
  const bytes = Uint8Array.of(rank);
  await Promise.all([mpi.allReduce(first), mpi.allReduce(second), mpi.barrier(), mpi.broadcast(bytes)]);
  assertEquals([...first, ...second, ...bytes], [size * (size - 1) / 2, size, 2 * size, 0]);
}

/** A barrier lets nobody pass before the last one has come; others go on with other things meanwhile. */
async function checkBarrier(mpi: Mpi): Promise<void> {
  if (mpi.rank === mpi.size - 1) await sleep(300);
  let ticks = 0;
  const timer = setInterval(() => ticks++, 10);
  const came = Date.now();
  await mpi.barrier();
  clearInterval(timer);
  const times = Float64Array.of(came, -Date.now());
  await mpi.allReduce(times, "max");
  assert(times[0] <= -times[1], "a rank passed the barrier before another came");
  if (mpi.size > 1 && mpi.rank === 0) assert(ticks > 3, `timers stood still in a barrier: ${ticks} ticks`);
}

/** Work for whoever asks first; long messages too, while all ranks are in a call together. */
async function checkMessages(mpi: Mpi): Promise<void> {
  const { rank, size } = mpi;
  const long = new Uint8Array(300_000).fill(rank);
  const refused = await assertRejects(() => mpi.send(long, size), Deno.errors.ConnectionAborted);
  assertEquals(refused.message, `MPI_Send failed on rank ${rank} (${mpi.host}): MPI_ERR_RANK: invalid rank`);
  if (size === 1) return assertEquals(mpi.poll(), undefined);
  const meeting = mpi.allReduce(new Float32Array(100_000));
  const next = async () => {
    for (;;) {
      const letter = mpi.poll();
      if (letter) return letter;
      await sleep(1);
    }
  };
  if (rank > 0) {
    await Promise.all([mpi.send(Uint8Array.of(1), 0), mpi.send(long, 0), mpi.send(new Uint8Array(), 0)]);
    assertEquals(await next(), { from: 0, bytes: Uint8Array.of(rank, 99) });
  } else {
    const lengths: number[][] = Array.from({ length: size }, () => []);
    for (let i = 0; i < 3 * (size - 1); i++) {
      const { from, bytes } = await next();
      lengths[from].push(bytes.length);
      if (bytes.length > 1) assert(bytes.every((byte) => byte === from), `what rank ${from} sent`);
      if (bytes.length === 0) await mpi.send(Uint8Array.of(from, 99), from);
    }
    assertEquals(lengths, [[], ...Array.from({ length: size - 1 }, () => [1, 300_000, 0])]);
  }
  await meeting;
  assertEquals(mpi.poll(), undefined);
}

async function checkAll(): Promise<void> {
  await using mpi = await Mpi.open();
  for (const check of [checkReductions, checkBits, checkBytes, checkOrder, checkBarrier, checkMessages]) {
    await check(mpi);
  }
  await Promise.all([mpi.close(), mpi.close()]);
  await assertRejects(() => mpi.barrier(), Deno.errors.NotConnected, "Cannot call barrier: MPI is closed");
  const { rank, size, host, localRank, localSize } = mpi;
  console.log(`rank ${rank} of ${size} is right, on ${host} ${localRank} of ${localSize}`);
}

/** Calls again and again, until something happens to a rank. */
async function callOn(what: string, timeoutSeconds: string): Promise<void> {
  await using mpi = await Mpi.open({ timeoutSeconds: Number(timeoutSeconds) });
  const isLast = mpi.rank === mpi.size - 1;
  const values = new Float32Array(10_000);
  for (let call = 0;; call++) {
    if (call === 3 && isLast && what === "hang") { for (const since = Date.now(); Date.now() - since < 60_000;); }
    if (call === 3 && isLast && what === "dawdle") await sleep(60_000);
    if (call === 3 && isLast && what === "leave") await mpi.close();
    if (call === 3 && isLast && what === "throw") throw new RangeError("the last rank has had enough");
    await mpi.allReduce(values.fill(1));
    assertEquals(values[9_999], mpi.size);
    if (call === 3) console.log(`pid ${Deno.pid} of rank ${mpi.rank} on ${mpi.host}`);
    await sleep(10);
  }
}

/** Sums so many times over. */
async function sum(times: string, length: string): Promise<void> {
  await using mpi = await Mpi.open();
  const values = new Float32Array(Number(length));
  for (let time = 0; time < Number(times); time++) await mpi.allReduce(values.fill(time));
  assertEquals(values[0], Math.max(Number(times) - 1, 0) * mpi.size);
  await mpi.close();
}

/** Says why MPI cannot be had. */
async function open(library: string): Promise<void> {
  const error = await assertRejects(() => Mpi.open({ library })) as Error;
  console.log(`${error.constructor.name}: ${error.message}`);
}

const JOBS: Record<string, (...args: string[]) => Promise<void>> = { all: checkAll, on: callOn, sum, open };

const [job, ...args] = Deno.args;
await JOBS[job](...args);
