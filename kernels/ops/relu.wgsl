// relu: out[i] = x[i] where x[i] > 0, else 0; NaN stays NaN.
// max(x, 0) may turn NaN into 0, so the sign is read from the bits: -0 down to -infinity are 0x80000000..0xff800000.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
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
  let bits = bitcast<u32>(x[i]);
  let negative = bits >= 0x80000000u && bits <= 0xff800000u;
  out[i] = select(x[i], 0.0, negative);
}
