// tanhBackward: dX[i] = dOut[i] * (1 - y^2), where y = tanh(x[i]) is the forward pass' output.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
}
@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dOut: array<f32>;
@group(0) @binding(2) var<storage, read_write> dX: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  dX[i] = dOut[i] * ((1.0 - y[i]) * (1.0 + y[i]));
}
