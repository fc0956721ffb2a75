// fma_peak: how many multiply-adds the adapter does at best, in registers alone: the bound of every kernel.
// Each invocation runs twelve chains of fused multiply-adds that do not wait for each other, as many as fit the registers of
// the software adapter: 12 * 4 * rounds of them. They start from memory and end in memory, so that the compiler cannot
// compute anything in advance.
// Grid: one invocation per element of data, a multiple of 64.
@group(0) @binding(0) var<storage, read_write> data: array<f32>;
@group(0) @binding(1) var<uniform> rounds: u32;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = vec4f(data[id.x]);
  let half = vec4f(0.5);
  var a = x + vec4f(0.0, 1.0, 2.0, 3.0);
  var b = x + vec4f(4.0, 5.0, 6.0, 7.0);
  var c = x + vec4f(8.0, 9.0, 10.0, 11.0);
  for (var round = 0u; round < rounds; round++) {
    // Written out four times: the loop itself would cost a third of a single turn.
    a = fma(a, half, x);
    b = fma(b, half, x);
    c = fma(c, half, x);
    a = fma(a, half, x);
    b = fma(b, half, x);
    c = fma(c, half, x);
    a = fma(a, half, x);
    b = fma(b, half, x);
    c = fma(c, half, x);
    a = fma(a, half, x);
    b = fma(b, half, x);
    c = fma(c, half, x);
  }
  data[id.x] = dot(a + b + c, vec4f(1.0));
}
