// function: out[i] = exp(x[i]), log(x[i]), sqrt(x[i]) or x[i] * x[i]. NaN stays NaN: some drivers make a number or infinity of
// its exp and its log.
// Grid: one invocation per element.
alias Value = f32; // or vec4f, where all counts divide by four
alias Bits = u32; // or vec4u

override OPERATION: u32; // 0 exp, 1 log, 2 sqrt, 3 square

struct Sizes {
  count: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> out: array<Value>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  let nan = (bitcast<Bits>(x[i]) & Bits(0x7fffffffu)) > Bits(0x7f800000u);
  if (OPERATION == 0u) {
    out[i] = select(exp(x[i]), x[i], nan);
  } else if (OPERATION == 1u) {
    out[i] = select(log(x[i]), x[i], nan);
  } else if (OPERATION == 2u) {
    out[i] = sqrt(x[i]);
  } else {
    out[i] = x[i] * x[i];
  }
}
