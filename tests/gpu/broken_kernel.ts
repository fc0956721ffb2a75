/**
 * Loaded before a task: on its device one kernel does nothing, as on a driver that compiles it wrong.
 *
 *   BROKEN=sgd deno run -A --preload tests/gpu/broken_kernel.ts tasks/train.ts
 */

const BROKEN = Deno.env.get("BROKEN");
const { createShaderModule } = GPUDevice.prototype;

GPUDevice.prototype.createShaderModule = function (descriptor) {
  const { label, code } = descriptor;
  const idle = code.replace(/(fn main\([^{]*\{)/, "$1\n  if (true) {\n    return;\n  }\n");
  return createShaderModule.call(this, label === BROKEN ? { ...descriptor, code: idle } : descriptor);
};
