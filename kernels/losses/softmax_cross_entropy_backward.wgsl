// softmaxCrossEntropyBackward: dLogits[r, j] = dOut * (softmax(z[r])[j] * sum over k of t[r, k] - t[r, j]), z the logits, t
// the targets; dOut is 1 / rows where the loss is a mean of rows. NaN passes on to its whole row.
// Grid: one invocation per row, which goes through the classes three times.
struct Sizes {
  rows: u32,
  classes: u32,
  dOut: f32,
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>;
@group(0) @binding(2) var<storage, read_write> dLogits: array<f32>;
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
  for (var i = first; i < end; i++) {
    let z = logits[i] - largest;
    let nan = (bitcast<u32>(z) & 0x7fffffffu) > 0x7f800000u; // some drivers make infinity of exp(NaN)
    exps += select(exp(z), z, nan);
    weights += expected[i];
  }
  for (var i = first; i < end; i++) {
    dLogits[i] = sizes.dOut * (exp(logits[i] - largest) / exps * weights - expected[i]);
  }
}
