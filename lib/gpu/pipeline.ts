/**
 * From a kernel's text to a pipeline, and from its sizes to the bytes of its uniform.
 *
 * @module
 */
import type { Access, Kernel } from "../../kernels/mod.ts";

/** Part of a GPU buffer that a kernel binds: a tensor, or anything with a buffer, an offset and a length in bytes. */
export interface Binding {
  /** The buffer. */
  readonly buffer: GPUBuffer;
  /** Where the part starts, in bytes. */
  readonly byteOffset: number;
  /** How long it is, in bytes. */
  readonly byteLength: number;
}

/** What a kernel binds: part of a buffer, or a storage texture. */
export type Resource = Binding | GPUTexture;

/** Whether a resource is part of a buffer. */
export function isBinding(resource: Resource): resource is Binding {
  return "buffer" in resource;
}

/** A dispatch of `Device.run` with its kernel; it may bind textures, too. */
export interface PlannedDispatch {
  readonly kernel: Kernel;
  /** In the order of the kernel's `access`. */
  readonly resources: readonly Resource[];
  readonly sizes: readonly number[];
  readonly reals: readonly number[];
  readonly invocations: number;
}

/** A copy of a matrix, four columns in a texel, into a texture. */
export interface Packing {
  /** The matrix [rows, columns]. */
  readonly matrix: Binding;
  readonly rows: number;
  readonly columns: number;
  /** Whether its texels lie one after the other. If not, each row of the matrix is a row of the texture. */
  readonly isFlat: boolean;
  /** Where it goes. */
  readonly texture: GPUTexture;
}

/**
 * Refuses what WebGPU would only report later, and without the operation's name.
 *
 * @returns Whether the kernel can bind each. What it reads it cannot bind where that starts between two places where a binding
 * may start, or lies in a buffer that the kernel writes.
 */
export function checkBindings(kernel: Kernel, buffers: readonly Binding[], alignment: number): boolean[] {
  const { name, access } = kernel;
  const count = usesMemory(kernel) ? access.length - 1 : access.length;
  if (buffers.length !== count) {
    throw new TypeError(`Cannot run ${name}: it binds ${count} buffers, found ${buffers.length}`);
  }
  const written = buffers.filter((_, i) => access[i] === "read_write");
  const wrong = written.find(({ byteOffset }) => byteOffset % alignment !== 0);
  if (wrong) {
    throw new RangeError(
      `Cannot run ${name}: its result would start at byte ${wrong.byteOffset} of a buffer, no multiple of ${alignment}; ` +
        "give it a tensor of its own",
    );
  }
  const isBindable = ({ buffer, byteOffset }: Binding, i: number) =>
    access[i] !== "read" || (byteOffset % alignment === 0 && !written.some((other) => other.buffer === buffer));
  return buffers.map(isBindable);
}

/** What a memory texture holds in a texel. */
export const MEMORY_FORMAT = "r32float";

/** Width and height of the texture in which kernels keep numbers as long as they run; whole_step_texels.wgsl knows the width. */
export const MEMORY_SIZE: [width: number, height: number] = [1024, 32];

type EntryLayout = Omit<GPUBindGroupLayoutEntry, "binding" | "visibility">;

const LAYOUTS: Record<Access, EntryLayout> = {
  read: { buffer: { type: "read-only-storage" } },
  read_write: { buffer: { type: "storage" } },
  read_texture: { storageTexture: { access: "read-only", format: "rgba32float" } },
  write_texture: { storageTexture: { access: "write-only", format: "rgba32float" } },
  memory_texture: { storageTexture: { access: "read-write", format: MEMORY_FORMAT } },
};

/** Whether a kernel binds the device's memory texture, after all else. */
export function usesMemory({ access }: Kernel): boolean {
  return access.at(-1) === "memory_texture";
}

/** Whether a kernel has a uniform with sizes, after its storage buffers. */
export function hasSizes(kernel: Kernel): boolean {
  return kernel.code.includes("var<uniform>");
}

/** Compiles a kernel. A fault in its text is reported by the device, under the kernel's name. */
export function compile(gpu: GPUDevice, kernel: Kernel): GPUComputePipeline {
  const label = kernel.name;
  const kinds = kernel.access.map((access) => LAYOUTS[access]);
  if (hasSizes(kernel)) kinds.push({ buffer: { type: "uniform" } });
  const group = gpu.createBindGroupLayout({
    label,
    entries: kinds.map((kind, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, ...kind })),
  });
  return gpu.createComputePipeline({
    label,
    layout: gpu.createPipelineLayout({ label, bindGroupLayouts: [group] }),
    compute: {
      module: gpu.createShaderModule({ label, code: kernel.code }),
      entryPoint: "main",
      constants: kernel.constants as Record<string, number> | undefined,
    },
  });
}

/** A kernel's sizes as the words of its uniform, a multiple of 16 bytes. */
export function packSizes(sizes: readonly number[], reals: readonly number[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.max(4, Math.ceil((sizes.length + reals.length) / 4) * 4));
  words.set(sizes);
  new Float32Array(words.buffer).set(reals, sizes.length);
  return words;
}
