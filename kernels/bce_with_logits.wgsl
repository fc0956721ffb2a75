// bceWithLogits: out[i] = max(z, 0) - z y + log(1 + exp(-|z|)), the cross-entropy of target y and sigmoid(z), z = logits[i].
// Equal to -y log s - (1 - y) log(1 - s), but finite for |z| up to 1.7e38.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
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
  // (z + |z|) / 2 is max(z, 0) that passes NaN on.
  out[i] = 0.5 * (z + abs(z)) - z * expected[i] + log(1.0 + exp(-abs(z)));
}
