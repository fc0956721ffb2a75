/**
 * From a kernel's text to a pipeline, and from its sizes to the bytes of its uniform.
 *
 * @module
 */
import type { Kernel } from "../kernels/mod.ts";

/** Part of a GPU buffer that a kernel binds: a tensor, or anything with a buffer, an offset and a length in bytes. */
export interface Binding {
  /** The buffer. */
  readonly buffer: GPUBuffer;
  /** Where the part starts, in bytes. */
  readonly byteOffset: number;
  /** How long it is, in bytes. */
  readonly byteLength: number;
}

/**
 * Refuses what WebGPU would only report later, and without the operation's name.
 *
 * @param kernel The kernel.
 * @param buffers What it is to bind.
 * @param alignment Bytes of which a binding's start must be a multiple.
 * @throws {TypeError} If there are too few or too many, or one buffer is both read and written.
 * @throws {RangeError} If one starts elsewhere.
 */
export function checkBindings(kernel: Kernel, buffers: readonly Binding[], alignment: number): void {
  const { name, access } = kernel;
  if (buffers.length !== access.length) {
    throw new TypeError(`Cannot run ${name}: it binds ${access.length} buffers, found ${buffers.length}`);
  }
  const written = buffers.filter((_, i) => access[i] === "read_write").map(({ buffer }) => buffer);
  buffers.forEach(({ buffer, byteOffset }, i) => {
    if (access[i] === "read" && written.includes(buffer)) {
      throw new TypeError(`Cannot run ${name}: it would read and write one buffer; the result needs one of its own`);
    }
    if (byteOffset % alignment !== 0) {
      throw new RangeError(`Cannot run ${name}: a view starts at byte ${byteOffset}, no multiple of ${alignment}`);
    }
  });
}

/** Whether a kernel has a uniform with sizes, behind its storage buffers. */
export function hasSizes(kernel: Kernel): boolean {
  return kernel.code.includes("var<uniform>");
}

/**
 * Compiles a kernel. A fault in its text is reported by the device, under the kernel's name.
 *
 * @param gpu Where it will run.
 * @param kernel The kernel.
 * @returns The pipeline; its one bind group has the storage buffers in order, then the sizes.
 */
export function compile(gpu: GPUDevice, kernel: Kernel): GPUComputePipeline {
  const label = kernel.name;
  const types: GPUBufferBindingType[] = kernel.access.map((a) => a === "read" ? "read-only-storage" : "storage");
  if (hasSizes(kernel)) types.push("uniform");
  const group = gpu.createBindGroupLayout({
    label,
    entries: types.map((type, binding) => ({ binding, visibility: GPUShaderStage.COMPUTE, buffer: { type } })),
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

/**
 * A kernel's sizes as the words of its uniform, a multiple of 16 bytes.
 *
 * @param sizes Whole numbers, first.
 * @param reals Real numbers, behind them, as float32.
 * @returns The words.
 */
export function packSizes(sizes: readonly number[], reals: readonly number[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.max(4, Math.ceil((sizes.length + reals.length) / 4) * 4));
  words.set(sizes);
  new Float32Array(words.buffer).set(reals, sizes.length);
  return words;
}
