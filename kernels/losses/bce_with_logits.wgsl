// bceWithLogits: out[i] = - one y log s - zero (1 - y) log(1 - s), the cross-entropy of target y and s = sigmoid(z), z =
// logits[i], with a weight for each class. -log s is max(-z, 0) + log(1 + exp(-|z|)), -log(1 - s) the same of -z: finite for
// |z| up to 1.7e38, and a sum of two terms that do not cancel.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  zero: f32,
  one: f32,
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  let z = logits[i];
  let one = sizes.one * expected[i];
  let zero = sizes.zero * (1.0 - expected[i]);
  // (z + |z|) / 2 is max(z, 0) that passes NaN on.
  out[i] = zero * 0.5 * (abs(z) + z) + one * 0.5 * (abs(z) - z) + (zero + one) * log(1.0 + exp(-abs(z)));
}
