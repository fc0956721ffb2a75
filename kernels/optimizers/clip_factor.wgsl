// clipFactor: norm = sqrt(sum of parts);  factor = min(1, maxNorm / norm), NaN where the norm is not finite, so that what is
// multiplied by it shows (Pascanu, Mikolov and Bengio 2013). That is told by bits: a compiler may assume that there is no NaN.
// Grid: one workgroup.
struct Sizes {
  count: u32, // of parts
  maxNorm: f32,
}
@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> factor: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

var<workgroup> sums: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < sizes.count; i += 64u) {
    sum += parts[i];
  }
  sums[lane] = sum;
  workgroupBarrier();
  if (lane > 0u) {
    return;
  }
  for (var i = 1u; i < 64u; i++) {
    sum += sums[i];
  }
  let norm = sqrt(sum);
  var result = 0x7fc00000u; // a variable, for WGSL refuses a constant that is NaN
  if ((bitcast<u32>(sum) & 0x7f800000u) != 0x7f800000u) {
    result = bitcast<u32>(select(sizes.maxNorm / norm, 1.0, norm <= sizes.maxNorm));
  }
  factor[0] = bitcast<f32>(result);
}
