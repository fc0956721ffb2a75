// softmaxCrossEntropy: out[r] = - sum over j of t[r, j] log softmax(z[r])[j], z the logits, t the targets.
// With m the row's maximum that is sum over j of t[r, j] (log(sum over k of exp(z[r, k] - m)) - (z[r, j] - m)): no exp
// overflows, one of them is 1, and no two terms cancel. Finite for |z| up to 1.7e38; NaN passes on.
// Grid: one invocation per row, which goes through the classes twice.
struct Sizes {
  rows: u32,
  classes: u32,
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>; // "target" is a reserved word in WGSL
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = id.x + id.y * groups.x * 64u;
  if (row >= sizes.rows) {
    return;
  }
  let first = row * sizes.classes;
  let end = first + sizes.classes;
  var largest = logits[first];
  for (var i = first + 1u; i < end; i++) {
    largest = max(largest, logits[i]); // may drop a NaN, which the sums below meet again
  }
  var exps = 0.0;
  var weights = 0.0; // sum of t
  var weighted = 0.0; // sum of t (z - m)
  for (var i = first; i < end; i++) {
    let z = logits[i] - largest;
    exps += exp(z);
    weights += expected[i];
    weighted += expected[i] * z;
  }
  out[row] = weights * log(exps) - weighted;
}
