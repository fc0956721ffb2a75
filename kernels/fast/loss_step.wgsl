// lossStep: a loss that is a mean over elements, and its gradient, in one pass: loss[0] = sum of f(p[i], t[i]) / n and
// dPrediction[i] = members f'(p[i], t[i]) / n, the gradient of each member's own mean over n / members elements. f is that of
// squared_error.wgsl, bce_with_logits.wgsl or huber.wgsl.
// Each lane adds up every 64th element, then one lane adds up the 64 sums: always in the same order, so the same bits. Not in
// a tree: its barriers took the software adapter longer than all the rest, 4.4 us against 1.8 where n is 10.
// Grid: one workgroup, whatever n.
override LOSS: u32; // 0 squared error, 1 binary cross-entropy on logits, 2 Huber

struct Sizes {
  count: u32,
  factor: f32, // 1 / n
  perMember: f32, // members / n
  first: f32, // weight of class 0, or delta
  second: f32, // weight of class 1, or slope
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
      dPrediction[i] = sizes.perMember * 2.0 * (p - t);
    } else if (LOSS == 1u) {
      let e = exp(-abs(p));
      let zero = sizes.first * (1.0 - t);
      let one = sizes.second * t;
      sum += zero * 0.5 * (abs(p) + p) + one * 0.5 * (abs(p) - p) + (zero + one) * log(1.0 + e);
      let slope = zero * select(1.0, e, p < 0.0) - one * select(e, 1.0, p < 0.0);
      dPrediction[i] = sizes.perMember * slope / (1.0 + e);
    } else {
      let error = p - t;
      let size = abs(error);
      let nan = (bitcast<u32>(error) & 0x7fffffffu) > 0x7f800000u;
      let far = select(sizes.second, -sizes.second, error < 0.0);
      sum += select(sizes.second * (size - 0.5 * sizes.first), 0.5 * size * size, size <= sizes.first);
      dPrediction[i] = sizes.perMember * select(far, error, nan || size <= sizes.first);
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
