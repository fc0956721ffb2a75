// huberBackward: dPrediction[i] = dOut * e where |e| <= delta, else dOut * slope with the sign of e, e = prediction[i] -
// target[i]; 0 where e is 0. dOut is 1 / n where the loss is a mean of n. NaN is told by its bits, and stays NaN.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  dOut: f32,
  delta: f32,
  slope: f32,
}
@group(0) @binding(0) var<storage, read> prediction: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>;
@group(0) @binding(2) var<storage, read_write> dPrediction: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  let e = prediction[i] - expected[i];
  let nan = (bitcast<u32>(e) & 0x7fffffffu) > 0x7f800000u;
  let far = select(sizes.slope, -sizes.slope, e < 0.0);
  dPrediction[i] = sizes.dOut * select(far, e, nan || abs(e) <= sizes.delta);
}
