// huber: out[i] = e^2 / 2 where |e| <= delta, else slope * (|e| - delta / 2), e = prediction[i] - target[i] (Huber 1964, with
// slope = delta; delta 0 and slope 1 give |e|). Finite and infinite errors have the sign and size they should, NaN stays NaN.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  delta: f32,
  slope: f32,
}
@group(0) @binding(0) var<storage, read> prediction: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>; // "target" is a reserved word in WGSL
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  let error = abs(prediction[i] - expected[i]);
  out[i] = select(sizes.slope * (error - 0.5 * sizes.delta), 0.5 * error * error, error <= sizes.delta);
}
