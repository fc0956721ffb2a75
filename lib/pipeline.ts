/**
 * From a kernel's text to a pipeline, and from its sizes to the bytes of its uniform.
 *
 * @module
 */
import type { Kernel } from "../kernels/mod.ts";

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
  const words = new Uint32Array(Math.ceil((sizes.length + reals.length) / 4) * 4);
  words.set(sizes);
  new Float32Array(words.buffer).set(reals, sizes.length);
  return words;
}
