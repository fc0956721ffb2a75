// bceWithLogitsBackward: dLogits[i] = dOut * (zero (1 - y) sigmoid(z) - one y sigmoid(-z)), which is dOut * (sigmoid(z) - y)
// where both weights are 1; z = logits[i], y = target[i]. dOut is 1 / n where the loss is a mean of n.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  dOut: f32,
  zero: f32,
  one: f32,
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>;
@group(0) @binding(2) var<storage, read_write> dLogits: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  let e = exp(-abs(logits[i]));
  let negative = logits[i] < 0.0;
  let zero = sizes.zero * (1.0 - expected[i]) * select(1.0, e, negative);
  let one = sizes.one * expected[i] * select(e, 1.0, negative);
  dLogits[i] = sizes.dOut * (zero - one) / (1.0 + e);
}
