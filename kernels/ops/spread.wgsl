// spread: out[o, l, i] = factor * x[o, i] for every l, the backward of a sum (factor 1) or mean (1 / length) over the middle
// axis. x [outer, inner], out [outer, length, inner].
// Grid: one invocation per output.
struct Sizes {
  count: u32, // elements of out
  length: u32,
  inner: u32,
  factor: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index < sizes.count) {
    let o = index / (sizes.length * sizes.inner);
    out[index] = sizes.factor * x[o * sizes.inner + index % sizes.inner];
  }
}
