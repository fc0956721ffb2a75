/**
 * Ranks on one machine or many, through Open MPI 4 or later and Deno's FFI. Processes need `--allow-ffi`, and are started by
 * `mpirun` or another launcher of Open MPI. Started alone, a process is the only rank.
 *
 * Every rank does the same:
 *
 *     const mpi = await Mpi.open();
 *     const values = Float32Array.of(mpi.rank);
 *     await mpi.allReduce(values); // 0 + 1 + 2 ... on every rank
 *     await mpi.close();
 *
 * @module
 */

import type { Communicator, Reducible, Reduction } from "./communicator.ts";
import { faultOfLaunch, type MpiLibrary, openLibrary } from "./mpi_library.ts";
import { type CallName, Watch } from "./mpi_watch.ts";

/** Settings of {@linkcode Mpi.open}. */
interface MpiOptions {
  /** The longest time that a call waits for other ranks; by default 600 s. */
  timeoutSeconds?: number;
  /** Name or path of the shared library; by default Open MPI's usual names. */
  library?: string;
}

/** A message of another rank. */
export interface Letter {
  /** The rank that sent it. */
  from: number;
  /** Its content. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** Constants of Open MPI's header. */
const IN_PLACE = 1n;
const THREAD_MULTIPLE = 3;
const ANY_SOURCE = -1;
const SHARED_MEMORY = 0;
const STATUS_INTS = 6;
const MAX_TEXT = 256;

/** Milliseconds that the launcher has to end this process. */
const ABORT_WAIT = 3000;

/** Tags of messages: work, and the watch. */
const WORK = 0;
const WATCH = 1;

/** Most elements of one call: MPI counts in 32 bits. */
const MOST = 2 ** 30;
const MOST_GATHERED = 2 ** 31 - 1;

/** Bytes for a host's name in messages. */
const HOST_BYTES = 64;

type Handle = Deno.PointerObject;

/** The ranks of an MPI job, as one of them sees them. */
export class Mpi implements Communicator, AsyncDisposable {
  readonly rank: number;
  readonly size: number;
  /** This machine's name. */
  readonly host: string;
  /** Which of the ranks on this machine this is, from 0. */
  readonly localRank: number;
  /** How many ranks this machine has. */
  readonly localSize: number;

  readonly #library: MpiLibrary;
  readonly #inPlace = Deno.UnsafePointer.create(IN_PLACE);
  /** Messages have a communicator of their own, apart from the calls of all ranks. */
  readonly #mailbox: Handle;
  readonly #flag = new Int32Array(1);
  readonly #count = new Int32Array(1);
  readonly #status = new Int32Array(STATUS_INTS);
  /** What MPI reads or writes on another thread: it must not be collected as garbage. */
  readonly #held = new Set<unknown>();
  #watch: Watch | undefined;
  #calls: Promise<unknown> = Promise.resolve();
  #sends: Promise<unknown> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(library: MpiLibrary) {
    this.#library = library;
    const { symbols, handles: { world, noInfo, errorsReturn } } = library;
    const provided = new Int32Array(1);
    this.#check("MPI_Init_thread", symbols.MPI_Init_thread(null, null, THREAD_MULTIPLE, provided));
    if (provided[0] < THREAD_MULTIPLE) {
      throw new Deno.errors.NotSupported(
        "This MPI can be called by one thread alone: use one with MPI_THREAD_MULTIPLE",
      );
    }
    this.#check("MPI_Comm_set_errhandler", symbols.MPI_Comm_set_errhandler(world, errorsReturn));
    this.#mailbox = this.#makeCommunicator("MPI_Comm_dup", (made) => symbols.MPI_Comm_dup(world, made));
    const split = (made: BigUint64Array<ArrayBuffer>) =>
      symbols.MPI_Comm_split_type(world, SHARED_MEMORY, 0, noInfo, made);
    const local = this.#makeCommunicator("MPI_Comm_split_type", split);
    [this.rank, this.size] = this.#placeIn(world);
    [this.localRank, this.localSize] = this.#placeIn(local);
    const name = new Uint8Array(MAX_TEXT);
    this.#check("MPI_Get_processor_name", symbols.MPI_Get_processor_name(name, this.#count));
    this.host = new TextDecoder().decode(name.subarray(0, this.#count[0]));
  }

  /**
   * Joins the job. Once in a process.
   *
   * @throws {Deno.errors.NotFound} If MPI is not installed.
   * @throws {Deno.errors.NotSupported} If it is another MPI or too old, or if srun has started several processes that MPI
   * does not join (noticed if the environment may be read).
   */
  static async open({ timeoutSeconds = 600, library }: MpiOptions = {}): Promise<Mpi> {
    if (!(timeoutSeconds > 0 && timeoutSeconds < Infinity)) {
      throw new RangeError(`The time limit of MPI must be a positive number of seconds, not ${timeoutSeconds}`);
    }
    const mpi = new Mpi(openLibrary(library === undefined ? undefined : [library]));
    const fault = mpi.size === 1 ? faultOfLaunch() : undefined;
    if (fault !== undefined) {
      await mpi.close();
      throw new Deno.errors.NotSupported(fault);
    }
    const hosts = await mpi.#tellHosts();
    mpi.#watch = new Watch({
      rank: mpi.rank,
      hosts,
      timeoutSeconds,
      post: { send: (message, to) => mpi.#post(message, to), poll: () => mpi.#pollWatch() },
      giveUp: (reason) => {
        console.error(`error: ${reason}`);
        // The launcher needs a moment to pass on what was printed.
        setTimeout(() => mpi.abort(1), 100);
      },
    });
    return mpi;
  }

  /** As {@linkcode Communicator} says. If a value is NaN, min and max may give another one. */
  allReduce(values: Reducible, how: Reduction = "sum"): Promise<void> {
    const { symbols, handles } = this.#library;
    return this.#together("allReduce", values, async () => {
      const type = values instanceof Float32Array ? handles.float32 : handles.float64;
      for (let at = 0; at < values.length; at += MOST) {
        const part = values.length <= MOST ? values : values.subarray(at, at + MOST);
        const { world, [how]: reduction } = handles;
        const code = await symbols.MPI_Allreduce(this.#inPlace, part, part.length, type, reduction, world);
        this.#check("MPI_Allreduce", code);
      }
    });
  }

  broadcast(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { symbols, handles } = this.#library;
    return this.#together("broadcast", bytes, async () => {
      for (let at = 0; at < bytes.length; at += MOST) {
        const part = bytes.subarray(at, at + MOST);
        this.#check("MPI_Bcast", await symbols.MPI_Bcast(part, part.length, handles.byte, 0, handles.world));
      }
    });
  }

  barrier(): Promise<void> {
    return this.#meet("barrier");
  }

  /** As {@linkcode Communicator} says; at most 2 GiB of all ranks together. */
  gather(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>[] | undefined> {
    const { symbols, handles: { byte, world } } = this.#library;
    const lengths = new Float64Array(this.size);
    const own = Float64Array.of(bytes.length);
    const none = new Int32Array();
    const buffers = { bytes, lengths, own, whole: new Uint8Array(), counts: none, starts: none };
    return this.#together("gather", buffers, async () => {
      // All ranks learn all lengths, so that all refuse too many.
      this.#check("MPI_Allgather", await symbols.MPI_Allgather(own, 8, byte, lengths, 8, byte, world));
      const total = lengths.reduce((sum, length) => sum + length, 0);
      if (total > MOST_GATHERED) throw new RangeError(`Cannot gather ${total} bytes: ${MOST_GATHERED} are the most`);
      if (this.rank === 0) {
        buffers.whole = new Uint8Array(total);
        buffers.counts = Int32Array.from(lengths);
        buffers.starts = new Int32Array(this.size);
        for (let i = 1; i < this.size; i++) buffers.starts[i] = buffers.starts[i - 1] + buffers.counts[i - 1];
      }
      const { whole, counts, starts } = buffers;
      const code = await symbols.MPI_Gatherv(bytes, bytes.length, byte, whole, counts, starts, byte, 0, world);
      this.#check("MPI_Gatherv", code);
      if (this.rank !== 0) return undefined;
      return Array.from(counts, (count, i) => whole.subarray(starts[i], starts[i] + count));
    });
  }

  /** Sends a message, which the other rank takes by {@linkcode poll}. */
  send(bytes: Uint8Array<ArrayBuffer>, to: number): Promise<void> {
    const { symbols, handles: { byte } } = this.#library;
    const sent = this.#sends.then(() =>
      this.#holding(bytes, async () => {
        this.#check("MPI_Send", await symbols.MPI_Send(bytes, bytes.length, byte, to, WORK, this.#mailbox));
      })
    );
    this.#sends = sent.catch(() => {}); // the sender gets the error; other messages follow
    return sent;
  }

  /** Takes the next message of any rank, if one has arrived. Those of one rank come in their order. */
  poll(): Letter | undefined {
    return this.#poll(WORK);
  }

  /** Leaves the job, as every rank must. Waits for all others. */
  close(): Promise<void> {
    return this.#closing ??= this.#leave();
  }

  /** Ends all ranks at once, with an exit code. */
  async abort(code: number): Promise<never> {
    const { symbols, handles: { world } } = this.#library;
    // A launcher that cannot be reached would hold this process.
    await Promise.race([symbols.MPI_Abort(world, code), new Promise((resolve) => setTimeout(resolve, ABORT_WAIT))]);
    Deno.exit(code);
  }

  /**
   * Without {@linkcode close} before, this rank ends with an error and cannot wait for the others, which do not know of it.
   * MPI stays as it is, and the launcher ends all ranks when this process ends.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.#watch?.stop();
    return Promise.resolve();
  }

  #meet(name: CallName): Promise<void> {
    const { symbols, handles: { world } } = this.#library;
    return this.#together(name, undefined, async () => this.#check("MPI_Barrier", await symbols.MPI_Barrier(world)));
  }

  async #leave(): Promise<void> {
    await this.#sends;
    await this.#meet("close");
    this.#watch?.stop();
    this.#check("MPI_Finalize", this.#library.symbols.MPI_Finalize());
  }

  /** Makes the calls of all ranks one after the other, in the order of the requests. */
  #together<T>(name: CallName, buffers: unknown, act: () => Promise<T>): Promise<T> {
    if (this.#closing && name !== "close") {
      return Promise.reject(new Deno.errors.NotConnected(`Cannot call ${name}: MPI is closed`));
    }
    const done = this.#calls.then(async () => {
      this.#watch?.begin(name);
      try {
        return await this.#holding(buffers, act);
      } finally {
        this.#watch?.end();
      }
    });
    this.#calls = done.catch(() => {});
    return done;
  }

  async #holding<T>(buffers: unknown, act: () => Promise<T>): Promise<T> {
    this.#held.add(buffers);
    try {
      return await act();
    } finally {
      this.#held.delete(buffers);
    }
  }

  #check(name: string, code: number): void {
    if (code === 0) return;
    const text = new Uint8Array(MAX_TEXT);
    const length = new Int32Array(1);
    this.#library.symbols.MPI_Error_string(code, text, length);
    const reason = new TextDecoder().decode(text.subarray(0, length[0]));
    throw new Deno.errors.ConnectionAborted(`${name} failed on rank ${this.rank} (${this.host}): ${reason}`);
  }

  #makeCommunicator(name: string, make: (made: BigUint64Array<ArrayBuffer>) => number): Handle {
    const made = new BigUint64Array(1);
    this.#check(name, make(made));
    return Deno.UnsafePointer.create(made[0])!;
  }

  #placeIn(communicator: Handle): [rank: number, size: number] {
    const { symbols } = this.#library;
    const rank = new Int32Array(1);
    const size = new Int32Array(1);
    this.#check("MPI_Comm_rank", symbols.MPI_Comm_rank(communicator, rank));
    this.#check("MPI_Comm_size", symbols.MPI_Comm_size(communicator, size));
    return [rank[0], size[0]];
  }

  /** The names of all ranks' machines. */
  #tellHosts(): Promise<string[]> {
    const { symbols, handles: { byte, world } } = this.#library;
    const own = new Uint8Array(HOST_BYTES);
    const all = new Uint8Array(HOST_BYTES * this.size);
    new TextEncoder().encodeInto(this.host, own);
    return this.#holding([own, all], async () => {
      this.#check("MPI_Allgather", await symbols.MPI_Allgather(own, HOST_BYTES, byte, all, HOST_BYTES, byte, world));
      const nameAt = (at: number) => new TextDecoder().decode(all.subarray(at, at + HOST_BYTES)).replaceAll("\0", "");
      return Array.from({ length: this.size }, (_, other) => nameAt(HOST_BYTES * other));
    });
  }

  /** Takes the next message with a tag. */
  #poll(tag: number): Letter | undefined {
    const { symbols, handles: { byte } } = this.#library;
    const status = this.#status;
    this.#check("MPI_Iprobe", symbols.MPI_Iprobe(ANY_SOURCE, tag, this.#mailbox, this.#flag, status));
    if (this.#flag[0] === 0) return undefined;
    const [from] = status;
    this.#check("MPI_Get_count", symbols.MPI_Get_count(status, byte, this.#count));
    const bytes = new Uint8Array(this.#count[0]);
    this.#check("MPI_Recv", symbols.MPI_Recv(bytes, bytes.length, byte, from, tag, this.#mailbox, null));
    return { from, bytes };
  }

  #pollWatch(): { from: number; message: Float64Array<ArrayBuffer> } | undefined {
    const letter = this.#poll(WATCH);
    return letter && { from: letter.from, message: new Float64Array(letter.bytes.buffer) };
  }

  /** Sends a message of the watch, without knowing whether it arrives. */
  #post(message: Float64Array<ArrayBuffer>, to: number): void {
    const { symbols, handles: { byte } } = this.#library;
    const request = new BigUint64Array(1);
    this.#held.add(message); // for ever: a few bytes, and the job is about to end
    const code = symbols.MPI_Isend(message, message.byteLength, byte, to, WATCH, this.#mailbox, request);
    this.#check("MPI_Isend", code);
    this.#check("MPI_Request_free", symbols.MPI_Request_free(request));
  }
}
