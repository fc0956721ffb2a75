/**
 * Loaded before a task: its device comes to harm while it trains.
 *
 *   HARM=lost HARM_AFTER=200 deno run -A --preload tests/gpu/lost_device.ts tasks/train.ts
 *
 * After so many submissions `lost` destroys the device, and `invalid` asks for a buffer that WebGPU refuses.
 */

const { HARM, HARM_AFTER } = Deno.env.toObject();
const { requestDevice } = GPUAdapter.prototype;

GPUAdapter.prototype.requestDevice = async function (...options) {
  const gpu = await requestDevice.apply(this, options);
  const submit = gpu.queue.submit.bind(gpu.queue);
  let left = Number(HARM_AFTER);
  GPUQueue.prototype.submit = function (commands) {
    submit(commands);
    if (--left !== 0) return;
    if (HARM === "lost") gpu.destroy();
    // Not at once, or it would be taken for a fault of what is under way.
    const usage = GPUBufferUsage.STORAGE;
    const size = gpu.limits.maxBufferSize + 4;
    if (HARM === "invalid") queueMicrotask(() => gpu.createBuffer({ size, usage }));
  };
  return gpu;
};
