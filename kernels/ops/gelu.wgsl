// gelu: out[i] = x / 2 * (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3), x = x[i]; the same as x * sigmoid(2 u), with
// exp taken of -|2 u| alone so that it cannot overflow.
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
  let v = 1.5957691216 * (x[i] + 0.044715 * x[i] * x[i] * x[i]);
  let e = exp(-abs(v));
  let s = select(1.0, e, v < 0.0) / (1.0 + e);
  // -infinity * 0 would be NaN; told by the bits, for a comparison may take NaN for a number.
  out[i] = select(x[i] * s, 0.0, bitcast<u32>(s) == 0u);
}
