// foldStatistics: records [10, parts] of the kernel statistics become one, at out[10 * place].
// Grid: one invocation per word of it; that of the sum does both words.
const WORDS = 10u;
const SUM = 2u;

struct Sizes {
  parts: u32,
  place: u32,
  nothing: u32, // 0, which no compiler knows: see statistics.wgsl
}
@group(0) @binding(0) var<storage, read> records: array<f32>;
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

fn rounded(v: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(v) ^ sizes.nothing);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let word = id.x;
  if (word >= WORDS || word == SUM + 1u) {
    return;
  }
  let start = word * sizes.parts;
  var result = records[start];
  var low = 0.0;
  for (var part = 1u; part < sizes.parts; part++) {
    let v = records[start + part];
    if (word == 0u) {
      result = min(result, v);
    } else if (word == 1u) {
      result = max(result, v);
    } else {
      let high = rounded(result + v);
      let moved = rounded(high - result);
      low += (result - (high - moved)) + (v - moved);
      result = high;
    }
  }
  let at = sizes.place * WORDS + word;
  if (word != SUM) {
    out[at] = result + low;
    return;
  }
  for (var part = 0u; part < sizes.parts; part++) {
    low += records[start + sizes.parts + part];
  }
  out[at] = result;
  out[at + 1u] = low;
}
