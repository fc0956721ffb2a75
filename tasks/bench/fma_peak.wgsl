// fma_peak: what the adapter multiplies and adds at best, in registers alone; the bound on every kernel.
// Each invocation runs twelve chains of fused multiply-adds that do not wait for each other, as many as fit the registers of
// the software adapter: 12 * 4 * rounds of them. The start comes from memory and the end goes back, so that nothing is
// worked out by the compiler.
// Grid: one invocation per element of data, a multiple of 64.
@group(0) @binding(0) var<storage, read_write> data: array<f32>;
@group(0) @binding(1) var<uniform> rounds: u32;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let x = data[id.x];
  var a = x;
  var b = x + 1.0;
  var c = x + 2.0;
  var d = x + 3.0;
  var e = x + 4.0;
  var f = x + 5.0;
  var g = x + 6.0;
  var h = x + 7.0;
  var i = x + 8.0;
  var j = x + 9.0;
  var k = x + 10.0;
  var l = x + 11.0;
  for (var round = 0u; round < rounds; round++) {
    // Written out four times: the loop's own work would be a third of a single turn's.
    a = fma(a, 0.5, x);
    b = fma(b, 0.5, x);
    c = fma(c, 0.5, x);
    d = fma(d, 0.5, x);
    e = fma(e, 0.5, x);
    f = fma(f, 0.5, x);
    g = fma(g, 0.5, x);
    h = fma(h, 0.5, x);
    i = fma(i, 0.5, x);
    j = fma(j, 0.5, x);
    k = fma(k, 0.5, x);
    l = fma(l, 0.5, x);

    a = fma(a, 0.5, x);
    b = fma(b, 0.5, x);
    c = fma(c, 0.5, x);
    d = fma(d, 0.5, x);
    e = fma(e, 0.5, x);
    f = fma(f, 0.5, x);
    g = fma(g, 0.5, x);
    h = fma(h, 0.5, x);
    i = fma(i, 0.5, x);
    j = fma(j, 0.5, x);
    k = fma(k, 0.5, x);
    l = fma(l, 0.5, x);

    a = fma(a, 0.5, x);
    b = fma(b, 0.5, x);
    c = fma(c, 0.5, x);
    d = fma(d, 0.5, x);
    e = fma(e, 0.5, x);
    f = fma(f, 0.5, x);
    g = fma(g, 0.5, x);
    h = fma(h, 0.5, x);
    i = fma(i, 0.5, x);
    j = fma(j, 0.5, x);
    k = fma(k, 0.5, x);
    l = fma(l, 0.5, x);

    a = fma(a, 0.5, x);
    b = fma(b, 0.5, x);
    c = fma(c, 0.5, x);
    d = fma(d, 0.5, x);
    e = fma(e, 0.5, x);
    f = fma(f, 0.5, x);
    g = fma(g, 0.5, x);
    h = fma(h, 0.5, x);
    i = fma(i, 0.5, x);
    j = fma(j, 0.5, x);
    k = fma(k, 0.5, x);
    l = fma(l, 0.5, x);
  }
  data[id.x] = a + b + c + d + e + f + g + h + i + j + k + l;
}
