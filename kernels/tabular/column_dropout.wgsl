// columnDropout: as dropout.wgsl, but all values of a column of a table are dropped together: those of out whose column is the
// same. dropout_mask.wgsl stands before this text.
// x, out [rows, outputs]; columnOf [outputs]: which of `columns` columns each value belongs to.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  outputs: u32,
  columns: u32,
  key: u32,
  dropped: u32, // of all 2^32 hashes, those below drop their column
  factor: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> columnOf: array<u32>;
@group(0) @binding(2) var<storage, read> step: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  let place = i / sizes.outputs * sizes.columns + columnOf[i % sizes.outputs];
  out[i] = select(sizes.factor * x[i], 0.0, dropoutHash(place, sizes.key, step[0]) < sizes.dropped);
}
