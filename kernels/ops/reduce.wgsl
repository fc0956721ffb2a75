// reduce: folds the middle axis of x [outer, length, inner] into out [outer, chunks, inner] by sum, minimum or maximum.
// Element l of the axis goes to chunk l mod chunks; further dispatches fold the chunks. So no invocation loops long (the
// software adapter ends it after 65,535 iterations) and a long sum is added up in blocks, which loses fewer digits.
// NaN passes through minimum and maximum: it is told by its bits, for a compiler may assume that v != v is never so.
// Grid: one invocation per output.
override OPERATION: u32; // 0 sum, 1 minimum, 2 maximum

struct Sizes {
  outer: u32,
  length: u32,
  inner: u32,
  chunks: u32,
  factor: f32, // multiplies the result: 1 / length makes a sum a mean
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

fn isNan(v: f32) -> bool {
  return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u;
}

fn fold(so_far: f32, v: f32) -> f32 {
  if (OPERATION == 0u) {
    return so_far + v;
  }
  let better = (OPERATION == 1u && v < so_far) || (OPERATION == 2u && v > so_far);
  return select(so_far, v, isNan(v) || (better && !isNan(so_far)));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.outer * sizes.chunks * sizes.inner) {
    return;
  }
  let i = index % sizes.inner;
  let chunk = index / sizes.inner % sizes.chunks;
  let base = index / (sizes.inner * sizes.chunks) * sizes.length;
  var result = x[(base + chunk) * sizes.inner + i];
  for (var l = chunk + sizes.chunks; l < sizes.length; l += sizes.chunks) {
    result = fold(result, x[(base + l) * sizes.inner + i]);
  }
  out[index] = result * sizes.factor;
}
