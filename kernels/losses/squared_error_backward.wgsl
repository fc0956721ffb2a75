// squaredErrorBackward: dPrediction[i] = dOut * 2 (prediction[i] - target[i]); dOut is 1 / n where the loss is a mean of n.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  dOut: f32,
}
@group(0) @binding(0) var<storage, read> prediction: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>;
@group(0) @binding(2) var<storage, read_write> dPrediction: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < sizes.count) {
    dPrediction[i] = sizes.dOut * 2.0 * (prediction[i] - expected[i]);
  }
}
