// sigmoid: out[i] = 1 / (1 + exp(-x[i])), with exp taken of -|x| alone so that it cannot overflow.
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
  let e = exp(-abs(x[i]));
  out[i] = select(1.0, e, x[i] < 0.0) / (1.0 + e);
}
