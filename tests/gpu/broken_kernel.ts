/**
 * Loaded before a task: on its device these kernels do nothing, as on a driver that compiles them wrong.
 *
 *   BROKEN=sgd,adam deno run -A --preload tests/gpu/broken_kernel.ts tasks/train.ts
 */

const BROKEN = Deno.env.get("BROKEN")?.split(",") ?? [];
const { createShaderModule } = GPUDevice.prototype;

GPUDevice.prototype.createShaderModule = function (descriptor) {
  const { label, code } = descriptor;
  const idle = code.replace(/(fn main\([^{]*\{)/, "$1\n  if (true) {\n    return;\n  }\n");
  return createShaderModule.call(this, BROKEN.includes(label ?? "") ? { ...descriptor, code: idle } : descriptor);
};
