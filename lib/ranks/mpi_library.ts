/**
 * Open MPI's shared library: which of its functions are called, and the handles that its header would give to C.
 *
 * @module
 */

/** Names of the library, as the loader knows it. */
const NAMES = ["libmpi.so.40", "libmpi.so"];

/** Resolve all symbols at once, and let Open MPI's plug-ins see them: `RTLD_NOW | RTLD_GLOBAL` of dlfcn.h on Linux. */
const NOW_GLOBAL = 0x102;

const INSTALL = "install Open MPI 4 or later: `deno task setup --mpi`, or Debian's openmpi-bin and libopenmpi3";

/**
 * `nonblocking` are those that wait for other ranks: they run on a thread of Deno's pool, so that read-backs of the GPU,
 * timers and signals go on meanwhile. dlopen and dlsym are libc's, found through MPI's library, which needs it too.
 */
const SYMBOLS = {
  dlopen: { parameters: ["buffer", "i32"], result: "pointer" },
  dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
  MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Error_string: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  MPI_Finalize: { parameters: [], result: "i32" },
  MPI_Abort: { parameters: ["pointer", "i32"], result: "i32", nonblocking: true },
  MPI_Get_processor_name: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Comm_rank: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Comm_dup: { parameters: ["pointer", "buffer"], result: "i32" },
  MPI_Comm_split_type: { parameters: ["pointer", "i32", "i32", "pointer", "buffer"], result: "i32" },
  MPI_Comm_set_errhandler: { parameters: ["pointer", "pointer"], result: "i32" },
  MPI_Allreduce: {
    parameters: ["pointer", "buffer", "i32", "pointer", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Bcast: { parameters: ["buffer", "i32", "pointer", "i32", "pointer"], result: "i32", nonblocking: true },
  MPI_Barrier: { parameters: ["pointer"], result: "i32", nonblocking: true },
  MPI_Allgather: {
    parameters: ["buffer", "i32", "pointer", "buffer", "i32", "pointer", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Gatherv: {
    parameters: ["buffer", "i32", "pointer", "buffer", "buffer", "buffer", "pointer", "i32", "pointer"],
    result: "i32",
    nonblocking: true,
  },
  MPI_Send: { parameters: ["buffer", "i32", "pointer", "i32", "i32", "pointer"], result: "i32", nonblocking: true },
  MPI_Isend: { parameters: ["buffer", "i32", "pointer", "i32", "i32", "pointer", "buffer"], result: "i32" },
  MPI_Request_free: { parameters: ["buffer"], result: "i32" },
  MPI_Iprobe: { parameters: ["i32", "i32", "pointer", "buffer", "buffer"], result: "i32" },
  MPI_Get_count: { parameters: ["buffer", "pointer", "buffer"], result: "i32" },
  MPI_Recv: { parameters: ["buffer", "i32", "pointer", "i32", "i32", "pointer", "pointer"], result: "i32" },
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

/** The library, ready to be called. */
export interface MpiLibrary {
  /** Its functions. */
  readonly symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  /** Its handles. */
  readonly handles: Readonly<Record<keyof typeof HANDLES, Deno.PointerObject>>;
}

/**
 * Loads the library.
 *
 * @throws {Deno.errors.NotFound} If there is none; says what to install.
 * @throws {Deno.errors.NotSupported} If it is not Open MPI, or too old.
 */
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
      // Another file may be missing: the library is there then, but cannot be used.
      if (!message.includes(`${name}: cannot open`)) throw new Deno.errors.NotSupported(`${message}; ${INSTALL}`);
    }
  }
  throw new Deno.errors.NotFound(`Found no MPI library under the name ${names.join(" or ")}: ${INSTALL}`);
}

/** Judges what a library says of itself. */
export function faultOfVersion(version: string): string | undefined {
  const [_, major] = /^Open MPI v(\d+)\./.exec(version) ?? [];
  if (Number(major) >= 4) return undefined;
  // MPICH and its kin tell their version, then pages of build settings.
  const called = version.split("\n")[0].split(",")[0].replaceAll(/\s+/g, " ").trim();
  if (major !== undefined) return `is ${called}, which is too old: ${INSTALL}`;
  return `is ${called || "an unknown MPI"}, whose handles differ from those of Open MPI: ${INSTALL}`;
}

/**
 * Judges whether a process that is the only rank was meant to be: Open MPI 5 takes each process for a whole job where srun
 * was not asked to join them.
 */
export function faultOfLaunch(env: Pick<Deno.Env, "get"> = VISIBLE): string | undefined {
  const tasks = Number(env.get("SLURM_STEP_NUM_TASKS") ?? 1);
  if (tasks <= 1 || env.get("OMPI_COMM_WORLD_SIZE") !== undefined) return undefined; // mpirun -n 1 on several hosts
  return `srun has started ${tasks} processes, and MPI takes each for a job of its own: start them by srun --mpi=pmix, ` +
    "or by mpirun in a job of sbatch";
}

/** What of the environment may be read without asking. */
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
