/**
 * What a load costs on this adapter, by where it comes from, as a worker of the bench:
 *
 *     deno run --allow-env --allow-sys=cpus --allow-read=tasks/bench tasks/bench/adapter/loads.ts 0.005
 *
 * The argument is how long a round of one kernel lasts at most, in seconds. All kernels of loads.wgsl run in turn, round after
 * round, and the fastest round of each counts: other load on the machine only ever adds time. Each sum is first compared with
 * float64.
 */

import { cpus } from "node:os";
import { nameOf, requestAdapter, requestGpu } from "../../../lib/gpu/adapter.ts";
import { report } from "../worker.ts";
import { type LoadsResult, TURNS } from "./loads_table.ts";

const ROUNDS = 30;
/** Lanes of a workgroup; a barrier is timed with more, too. */
const LANES = 8;
/** Numbers in each table, and where reading them begins. */
const NUMBERS = 1024;
const START = 8;
/** Larger than the error of float32 in the sums, which are below 10; far smaller than any number. */
const TOLERANCE = 1e-4;

/** A row: the kernel's name in loads.wgsl, and what makes its sum. */
interface Kind {
  name: string;
  kernel: string;
  lanes?: number;
  /** Whether each dispatch sets another pipeline, and the bindings. */
  changes?: boolean;
  /** How many numbers of a lane's sum come from one load, and which load it is. */
  width?: number;
  at?: (turn: number, lane: number) => number;
  /** What becomes of the sum before it is halved; nothing by default. */
  of?: (sum: number) => number;
}

/** Reading a table of so many entries, neighbouring lanes from neighbouring places. */
const contiguous = (entries: number) => (turn: number, lane: number) => (START + 8 * turn + lane) % entries;
const always = () => START;

const KINDS: readonly Kind[] = [
  { name: "nothing but a multiply-add", kernel: "multiplyAdd", at: always },
  { name: "f32 from a storage buffer, same index", kernel: "storageSame", at: (turn) => (START + turn) % NUMBERS },
  { name: "f32 from a storage buffer, contiguous", kernel: "storageContiguous", at: contiguous(NUMBERS) },
  {
    name: "f32 from a storage buffer, strided",
    kernel: "storageStrided",
    at: (turn, lane) => (START + turn + 128 * lane) % NUMBERS,
  },
  { name: "vec4f from a storage buffer", kernel: "storageVector", width: 4, at: contiguous(NUMBERS / 4) },
  { name: "f32 from workgroup memory", kernel: "workgroupNumber", at: contiguous(64) },
  { name: "vec4f from workgroup memory", kernel: "workgroupVector", width: 4, at: contiguous(16) },
  { name: "vec4f from a uniform buffer", kernel: "uniformVector", width: 4, at: contiguous(NUMBERS / 4) },
  { name: "vec4f from a storage texture", kernel: "storedTexel", width: 4, at: contiguous(NUMBERS / 4) },
  { name: "vec4f from a sampled texture", kernel: "sampledTexel", width: 4, at: contiguous(NUMBERS / 4) },
  { name: "f32 from a private array", kernel: "privateNumber", at: contiguous(16) },
  { name: "exp", kernel: "exponential", at: always, of: (sum) => Math.exp(-sum) },
  { name: "barrier of 8 lanes", kernel: "barrier", at: always },
  { name: "barrier of 64 lanes", kernel: "barrier", lanes: 64, at: always },
  { name: "empty dispatch", kernel: "nothing" },
  { name: "empty dispatch of another pipeline", kernel: "nothing", changes: true },
];

/** What a kernel's sums must be, for the lanes of one workgroup. */
function expectedSums({ lanes = LANES, width = 1, at, of = (sum) => sum }: Kind, numbers: Float32Array): number[] {
  if (!at) return [];
  return Array.from({ length: lanes }, (_, lane) => {
    let sum = 0;
    for (let turn = 0; turn < TURNS; turn++) {
      const first = at(turn, lane) * width;
      sum = 0.5 * of(sum) + numbers.subarray(first, first + width).reduce((all, number) => all + number, 0);
    }
    return sum;
  });
}

interface Ran {
  seconds: number;
  sums: Float32Array;
}

/** The device with all tables; runs kernels, and reads their sums. */
class Bench {
  readonly #gpu: GPUDevice;
  readonly #sums: GPUBuffer;
  readonly #copy: GPUBuffer;
  readonly #layout: GPUBindGroupLayout;
  readonly #bound: GPUBindGroup;
  readonly #module: GPUShaderModule;
  #fault: string | undefined;

  constructor(gpu: GPUDevice, code: string, numbers: Float32Array<ArrayBuffer>, invocations: number) {
    this.#gpu = gpu;
    gpu.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#fault ??= (event as GPUUncapturedErrorEvent).error.message;
    });
    const { STORAGE, UNIFORM, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
    const buffer = (usage: number, data: Float32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>) => {
      const made = gpu.createBuffer({ size: data.byteLength, usage: usage | COPY_DST });
      gpu.queue.writeBuffer(made, 0, data);
      return made;
    };
    const texture = (usage: number) => {
      const size = [numbers.length / 4];
      const made = gpu.createTexture({ size, format: "rgba32float", usage: usage | GPUTextureUsage.COPY_DST });
      gpu.queue.writeTexture({ texture: made }, numbers, { bytesPerRow: numbers.byteLength }, size);
      return made.createView();
    };
    this.#sums = buffer(STORAGE | COPY_SRC, new Float32Array(invocations));
    // Made mapped, because Deno panics when asked for the range of a buffer that never was.
    this.#copy = gpu.createBuffer({ size: 4 * invocations, usage: MAP_READ | COPY_DST, mappedAtCreation: true });
    this.#copy.unmap();
    const stored = buffer(STORAGE, numbers);
    const bindings: [Omit<GPUBindGroupLayoutEntry, "binding" | "visibility">, GPUBindingResource][] = [
      [{ buffer: { type: "storage" } }, { buffer: this.#sums }],
      [{ buffer: { type: "read-only-storage" } }, { buffer: stored }],
      [{ buffer: { type: "read-only-storage" } }, { buffer: stored }],
      [{ buffer: { type: "uniform" } }, { buffer: buffer(UNIFORM, numbers) }],
      [
        { storageTexture: { access: "read-only", format: "rgba32float" } },
        texture(GPUTextureUsage.STORAGE_BINDING),
      ],
      [{ texture: { sampleType: "unfilterable-float" } }, texture(GPUTextureUsage.TEXTURE_BINDING)],
      [{ buffer: { type: "uniform" } }, { buffer: buffer(UNIFORM, new Uint32Array([START])) }],
    ];
    this.#layout = gpu.createBindGroupLayout({
      entries: bindings.map(([type], binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, ...type })),
    });
    this.#bound = gpu.createBindGroup({
      layout: this.#layout,
      entries: bindings.map(([_type, resource], binding) => ({ binding, resource })),
    });
    this.#module = gpu.createShaderModule({ code });
  }

  /** @throws {GPUPipelineError} If the adapter refuses the kernel. */
  async pipeline({ kernel, lanes = LANES }: Kind): Promise<GPUComputePipeline> {
    return await this.#gpu.createComputePipelineAsync({
      layout: this.#gpu.createPipelineLayout({ bindGroupLayouts: [this.#layout] }),
      compute: { module: this.#module, entryPoint: kernel, constants: { lanes, turns: TURNS } },
    });
  }

  /** Dispatches kernels in turn, `count` times; how many seconds that took on the queue, and the sums of the last. */
  async run(pipelines: readonly GPUComputePipeline[], workgroups: number, count: number): Promise<Ran> {
    const encoder = this.#gpu.createCommandEncoder();
    encoder.clearBuffer(this.#sums); // or a kernel that did not run would show the sums of another
    const pass = encoder.beginComputePass();
    for (let i = 0; i < count; i++) {
      if (i < 1 || pipelines.length > 1) {
        pass.setPipeline(pipelines[i % pipelines.length]);
        pass.setBindGroup(0, this.#bound);
      }
      pass.dispatchWorkgroups(workgroups);
    }
    pass.end();
    encoder.copyBufferToBuffer(this.#sums, 0, this.#copy, 0, this.#copy.size);
    const commands = encoder.finish();
    const start = performance.now();
    this.#gpu.queue.submit([commands]);
    const bytes = await this.#map();
    const seconds = (performance.now() - start) / 1000;
    const sums = new Float32Array(bytes.slice(0));
    this.#copy.unmap();
    if (this.#fault) throw new Error(`The adapter refused the work: ${this.#fault}`);
    return { seconds, sums };
  }

  /** The copy's bytes. Deno waits within the call of mapAsync, and its promise takes 10 ms longer: see lib/gpu/readback.ts. */
  async #map(): Promise<ArrayBuffer> {
    const mapped = this.#copy.mapAsync(GPUMapMode.READ);
    mapped.catch(() => {}); // where the bytes are there already
    try {
      return this.#copy.getMappedRange();
    } catch {
      await mapped;
      return this.#copy.getMappedRange();
    }
  }
}

/** Nanoseconds of each row: of one turn of one workgroup, or of a dispatch. */
async function time(bench: Bench, numbers: Float32Array, workgroups: number, seconds: number): Promise<number[]> {
  const runs = [];
  for (const kind of KINDS) {
    const pipelines = [await bench.pipeline(kind)];
    if (kind.changes) pipelines.push(await bench.pipeline({ ...kind, lanes: 2 * LANES }));
    const groups = kind.at ? workgroups : 1;
    check(kind, (await bench.run(pipelines, groups, 1)).sums, numbers);
    runs.push({ pipelines, groups, count: 1, turns: kind.at ? groups * TURNS : 1, best: Infinity });
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const run of runs) {
      const taken = (await bench.run(run.pipelines, run.groups, run.count)).seconds;
      run.best = Math.min(run.best, 1e9 * taken / run.count / run.turns);
      // What a submission costs by itself disappears among many dispatches.
      if (taken < seconds / 2) run.count *= 2;
    }
  }
  return runs.map(({ best }) => best);
}

/** @throws {Error} If a kernel's sums are wrong: it did not read what it should. */
function check(kind: Kind, sums: Float32Array, numbers: Float32Array): void {
  for (const [lane, expected] of expectedSums(kind, numbers).entries()) {
    if (Math.abs(sums[lane] - expected) <= TOLERANCE) continue;
    throw new Error(`${kind.name}: the sum of lane ${lane} is ${sums[lane]}, not ${expected}: its time says nothing`);
  }
}

/** The CPU, which a software adapter runs on; undefined where Deno may not or cannot say. */
function readCpu(): string | undefined {
  try {
    return cpus()[0]?.model.trim() || undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return undefined;
    throw error;
  }
}

async function main(seconds: number): Promise<void> {
  // No worker threads in the driver: they would only share this out.
  const adapter = await requestAdapter({ smallDispatches: true });
  const gpu = await requestGpu(adapter);
  const code = await Deno.readTextFile(new URL("loads.wgsl", import.meta.url));
  // In no order that a cache or a compiler could guess, none near zero.
  const numbers = Float32Array.from({ length: NUMBERS }, (_, i) => 0.5 + (i * 0.618034) % 1);
  // A real GPU needs many more to be busy.
  const workgroups = adapter.info.isFallbackAdapter ? 16 : 2 ** 12;
  const most = Math.max(...KINDS.map(({ lanes = LANES }) => lanes));
  const times = await time(new Bench(gpu, code, numbers, workgroups * most), numbers, workgroups, seconds);
  report(
    {
      device: nameOf(adapter.info),
      software: adapter.info.isFallbackAdapter,
      cpu: readCpu(),
      rows: KINDS.map(({ name }, i) => ({ name, nanoseconds: times[i] })),
    } satisfies LoadsResult,
  );
  gpu.destroy();
}

await main(Number(Deno.args[0]));
