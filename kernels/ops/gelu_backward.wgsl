// geluBackward: dX[i] = dOut[i] * (s + x s (1 - s) v') with v = sqrt(8 / pi) (x + 0.044715 x^3), s = sigmoid(v), x = x[i].
// s (1 - s) is 0 in float32 long before |x| is 10; there x stands still in the second term, or x^2 would be infinite.
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
  let v = 1.5957691216 * (x[i] + 0.044715 * x[i] * x[i] * x[i]);
  let e = exp(-abs(v));
  let s = select(1.0, e, v < 0.0) / (1.0 + e);
  let near = clamp(x[i], -10.0, 10.0);
  let slope = 1.5957691216 * (1.0 + 0.134145 * near * near);
  dX[i] = dOut[i] * (s + near * slope * e / ((1.0 + e) * (1.0 + e)));
}
