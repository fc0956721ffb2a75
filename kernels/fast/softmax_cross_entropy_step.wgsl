// softmaxCrossEntropyStep: the loss of softmax_cross_entropy.wgsl, averaged over rows, and its gradient, in one pass:
// loss[0] = sum over rows of out[r] / rows, dLogits as in softmax_cross_entropy_backward.wgsl with dOut = members / rows,
// the gradient of each member's own mean.
// Each lane takes every 64th row and adds up its own, then one lane adds up the 64 sums, as in loss_step.wgsl.
// Grid: one workgroup, however many rows.
struct Sizes {
  rows: u32,
  classes: u32,
  factor: f32, // 1 / rows
  perMember: f32, // members / rows
}
@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> dLogits: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

var<workgroup> sums: array<f32, 64>;

// The loss of a row; writes its gradient.
fn stepRow(first: u32, end: u32) -> f32 {
  var largest = logits[first];
  for (var i = first + 1u; i < end; i++) {
    largest = max(largest, logits[i]); // may drop a NaN, which the sums below meet again
  }
  var exps = 0.0;
  var weights = 0.0; // sum of t
  var weighted = 0.0; // sum of t (z - m)
  for (var i = first; i < end; i++) {
    let z = logits[i] - largest;
    let nan = (bitcast<u32>(z) & 0x7fffffffu) > 0x7f800000u; // some drivers make infinity of exp(NaN)
    exps += select(exp(z), z, nan);
    weights += expected[i];
    weighted += expected[i] * z;
  }
  for (var i = first; i < end; i++) {
    dLogits[i] = sizes.perMember * (exp(logits[i] - largest) / exps * weights - expected[i]);
  }
  return weights * log(exps) - weighted;
}

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var row = lane; row < sizes.rows; row += 64u) {
    sum += stepRow(row * sizes.classes, (row + 1u) * sizes.classes);
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane == 0u) {
    for (var other = 1u; other < 64u; other++) {
      sum += sums[other];
    }
    loss[0] = sum * sizes.factor;
  }
}
