// transpose: out[j, i] = x[i, j], with x [rows, columns] and out [columns, rows].
// Grid: one invocation per output.
struct Sizes {
  count: u32,
  rows: u32,
  columns: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index < sizes.count) {
    out[index] = x[index % sizes.rows * sizes.columns + index / sizes.rows];
  }
}
