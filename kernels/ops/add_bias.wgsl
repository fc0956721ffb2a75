// addBias: out[i, j] = x[i, j] + bias[j], with x [rows, columns], bias [columns], out [rows, columns]. Or each of several
// groups of rows has a bias of its own, one after the other in bias [groups * columns]; `group` elements of x make one.
// Grid: one invocation per output.
struct Sizes {
  count: u32,
  columns: u32,
  group: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < sizes.count) {
    out[i] = x[i] + bias[i / sizes.group * sizes.columns + i % sizes.columns];
  }
}
