// forward: out[i] = activate(x[i]), the activation whose text stands before this one.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  slope: f32, // what leakyRelu multiplies negative numbers by
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < sizes.count) {
    out[i] = activate(x[i]);
  }
}
