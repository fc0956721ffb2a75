// leakyRelu: out[i] = x[i] where x[i] > 0, else slope * x[i]; NaN stays NaN.
// The sign is read from the bits, as in relu.wgsl; a NaN stays one whichever factor it meets.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  slope: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  out[i] = x[i] * select(1.0, sizes.slope, bitcast<u32>(x[i]) >= 0x80000000u);
}
