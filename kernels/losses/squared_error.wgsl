// squaredError: out[i] = (prediction[i] - target[i])^2; its mean is the MSE loss.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
}
@group(0) @binding(0) var<storage, read> prediction: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>; // "target" is a reserved word in WGSL
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < sizes.count) {
    let error = prediction[i] - expected[i];
    out[i] = error * error;
  }
}
