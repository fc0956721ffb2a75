// lossStep: a loss that is a mean over elements, and its gradient, in one pass: loss[0] = sum of f(p[i], t[i]) / n and
// dPrediction[i] = f'(p[i], t[i]) / n. f is that of squared_error.wgsl or of bce_with_logits.wgsl.
// Each lane adds up every 64th element, then one lane adds up the 64 sums: always in the same order, so the same bits. Not in
// a tree: its barriers took the software adapter longer than all the rest, 4.4 us against 1.8 where n is 10.
// Grid: one workgroup, whatever n.
override LOSS: u32; // 0 squared error, 1 binary cross-entropy on logits

struct Sizes {
  count: u32,
  factor: f32, // 1 / n
}
@group(0) @binding(0) var<storage, read> prediction: array<f32>;
@group(0) @binding(1) var<storage, read> expected: array<f32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> dPrediction: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < sizes.count; i += 64u) {
    let p = prediction[i];
    let t = expected[i];
    if (LOSS == 0u) {
      sum += (p - t) * (p - t);
      dPrediction[i] = sizes.factor * 2.0 * (p - t);
    } else {
      let e = exp(-abs(p));
      sum += 0.5 * (p + abs(p)) - p * t + log(1.0 + e);
      dPrediction[i] = sizes.factor * (select(1.0, e, p < 0.0) / (1.0 + e) - t);
    }
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
