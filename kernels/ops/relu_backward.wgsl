// reluBackward: dX[i] = dOut[i] where x[i] > 0 (or NaN), else 0; the derivative at exactly 0 is taken as 0.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dOut: array<f32>;
@group(0) @binding(2) var<storage, read_write> dX: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  let bits = bitcast<u32>(x[i]);
  let closed = bits == 0u || (bits >= 0x80000000u && bits <= 0xff800000u);
  dX[i] = select(dOut[i], 0.0, closed);
}
