/**
 * Open MPI's shared library: its functions, and the handles that its header gives to programs in C.
 *
 * @module
 */

/** Names of the library, as the loader knows it. */
const NAMES = ["libmpi.so.40", "libmpi.so"];

/** Lets Open MPI's plug-ins see the symbols: `RTLD_NOW | RTLD_GLOBAL` of dlfcn.h on Linux. */
const NOW_GLOBAL = 0x102;

const INSTALL = "install Open MPI 4 or later: `deno task setup --mpi`, or Debian's openmpi-bin and libopenmpi3";

/** A function of C that returns MPI's error code, or 0. */
function call<const P extends readonly Deno.NativeType[]>(...parameters: P) {
  return { parameters, result: "i32" } as const;
}

/** One that waits for other ranks: it runs on another thread, so that read-backs of the GPU, timers and signals continue. */
function waiting<const P extends readonly Deno.NativeType[]>(...parameters: P) {
  return { parameters, result: "i32", nonblocking: true } as const;
}

/** Functions of the library. dlopen and dlsym belong to libc; MPI's library needs them, too, so they are found through it. */
const SYMBOLS = {
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
  dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
  MPI_Get_library_version: call("buffer", "buffer"),
  MPI_Error_string: call("i32", "buffer", "buffer"),
  MPI_Init_thread: call("pointer", "pointer", "i32", "buffer"),
  MPI_Finalize: call(),
  MPI_Abort: waiting("pointer", "i32"),
  MPI_Get_processor_name: call("buffer", "buffer"),
  MPI_Comm_rank: call("pointer", "buffer"),
  MPI_Comm_size: call("pointer", "buffer"),
  MPI_Comm_dup: call("pointer", "buffer"),
  MPI_Comm_split_type: call("pointer", "i32", "i32", "pointer", "buffer"),
  MPI_Comm_set_errhandler: call("pointer", "pointer"),
  MPI_Allreduce: waiting("pointer", "buffer", "i32", "pointer", "pointer", "pointer"),
  MPI_Bcast: waiting("buffer", "i32", "pointer", "i32", "pointer"),
  MPI_Barrier: waiting("pointer"),
  MPI_Allgather: waiting("buffer", "i32", "pointer", "buffer", "i32", "pointer", "pointer"),
  MPI_Gatherv: waiting("buffer", "i32", "pointer", "buffer", "buffer", "buffer", "pointer", "i32", "pointer"),
  MPI_Send: waiting("buffer", "i32", "pointer", "i32", "i32", "pointer"),
  MPI_Isend: call("buffer", "i32", "pointer", "i32", "i32", "pointer", "buffer"),
  MPI_Request_free: call("buffer"),
  MPI_Iprobe: call("i32", "i32", "pointer", "buffer", "buffer"),
  MPI_Get_count: call("buffer", "pointer", "buffer"),
  MPI_Recv: call("buffer", "i32", "pointer", "i32", "i32", "pointer", "pointer"),
} as const satisfies Deno.ForeignLibraryInterface;

/** What Open MPI's header calls MPI_COMM_WORLD, MPI_FLOAT and so on: addresses of data in the library. */
const HANDLES = {
  world: "ompi_mpi_comm_world",
  byte: "ompi_mpi_byte",
  float32: "ompi_mpi_float",
  float64: "ompi_mpi_double",
  sum: "ompi_mpi_op_sum",
  min: "ompi_mpi_op_min",
  max: "ompi_mpi_op_max",
  noInfo: "ompi_mpi_info_null",
  errorsReturn: "ompi_mpi_errors_return",
} as const;

export interface MpiLibrary {
  readonly symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly handles: Readonly<Record<keyof typeof HANDLES, Deno.PointerObject>>;
}

/** Loads the library. */
export function openLibrary(names: readonly string[] = NAMES): MpiLibrary {
  const [name, symbols] = load(names);
  const version = new Uint8Array(8192);
  const length = new Int32Array(1);
  symbols.MPI_Get_library_version(version, length);
  const fault = faultOfVersion(new TextDecoder().decode(version.subarray(0, length[0])));
  if (fault !== undefined) throw new Deno.errors.NotSupported(`${name} ${fault}`);
  const whole = symbols.dlopen(toC(name), NOW_GLOBAL);
  const handles = Object.fromEntries(
    Object.entries(HANDLES).map(([key, symbol]) => {
      const handle = symbols.dlsym(whole, toC(symbol));
      if (handle === null) throw new Deno.errors.NotSupported(`${name} lacks ${symbol}: ${INSTALL}`);
      return [key, handle];
    }),
  );
  return { symbols, handles: handles as unknown as MpiLibrary["handles"] };
}

function load(names: readonly string[]): [string, MpiLibrary["symbols"]] {
  for (const name of names) {
    try {
      return [name, Deno.dlopen(name, SYMBOLS).symbols];
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) throw error;
      const { message } = error as Error;
      // If another file is missing, the library is there, but cannot be used.
      if (!message.includes(`${name}: cannot open`)) throw new Deno.errors.NotSupported(`${message}; ${INSTALL}`);
    }
  }
  throw new Deno.errors.NotFound(`Found no MPI library under the name ${names.join(" or ")}: ${INSTALL}`);
}

/** What is wrong with a library, by the version that it tells. */
export function faultOfVersion(version: string): string | undefined {
  const [_, major] = /^Open MPI v(\d+)\./.exec(version) ?? [];
  if (Number(major) >= 4) return undefined;
  // MPICH and its kin tell their version, then pages of build settings.
  const called = version.split("\n")[0].split(",")[0].replaceAll(/\s+/g, " ").trim();
  if (major !== undefined) return `is ${called}, which is too old: ${INSTALL}`;
  return `is ${called || "an unknown MPI"}, whose handles differ from those of Open MPI: ${INSTALL}`;
}

/**
 * What is wrong if this process is the only rank: under srun without --mpi=pmix, Open MPI 5 takes each process for a whole job.
 */
export function faultOfLaunch(env: Pick<Deno.Env, "get"> = VISIBLE): string | undefined {
  const tasks = Number(env.get("SLURM_STEP_NUM_TASKS") ?? 1);
  if (tasks <= 1 || env.get("OMPI_COMM_WORLD_SIZE") !== undefined) return undefined; // mpirun -n 1 on several hosts
  return `srun has started ${tasks} processes, and MPI takes each for a job of its own: start them by srun --mpi=pmix, ` +
    "or by mpirun in a job of sbatch";
}

/** The environment, as far as it may be read without asking. */
const VISIBLE: Pick<Deno.Env, "get"> = {
  get(variable) {
    const { state } = Deno.permissions.querySync({ name: "env", variable });
    return state === "granted" ? Deno.env.get(variable) : undefined;
  },
};

/** A text as C has it. */
function toC(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
