/** Lesson 9, solved: a kernel with one binding more than softplus has, and one line that differs. */
import { type Kernel, Tensor } from "../../../mod.ts";

const kernel: Kernel = {
  name: "softplusBackward",
  access: ["read", "read", "read_write"],
  code: `
    @group(0) @binding(0) var<storage, read> x: array<f32>;
    @group(0) @binding(1) var<storage, read> dOut: array<f32>;
    @group(0) @binding(2) var<storage, read_write> dx: array<f32>;
    @group(0) @binding(3) var<uniform> count: u32;

    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
      let i = id.x + id.y * groups.x * 64u; // a long row of workgroups is folded into several
      if (i < count) {
        dx[i] = dOut[i] / (1.0 + exp(-x[i])); // where e^-x is infinite, this is 0, as it should be
      }
    }`,
};

/** Gradient of softplus from its input: dx = dOut / (1 + e^-x), in the shape of `x`. */
export function softplusBackward(x: Tensor, dOut: Tensor): Tensor {
  const dx = Tensor.empty(x.device, x.shape);
  x.device.run(kernel, { buffers: [x, dOut, dx], sizes: [x.size], invocations: x.size });
  return dx;
}
