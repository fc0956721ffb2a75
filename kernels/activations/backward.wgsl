// backward: dX[i] = dOut[i] * (the derivative at i), by the activation whose text stands before this one. It takes its input
// x, or its output where the derivative is simpler from that: what the forward pass kept.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  slope: f32, // what leakyRelu multiplies negative numbers by
}
@group(0) @binding(0) var<storage, read> kept: array<f32>;
@group(0) @binding(1) var<storage, read> dOut: array<f32>;
@group(0) @binding(2) var<storage, read_write> dX: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < sizes.count) {
    dX[i] = activateBackward(kept[i], dOut[i]);
  }
}
