// wavesBackward: the gradients of waves.wgsl. With u = 2 pi frequency x + phase, and d_k the gradient of out_k:
// dMix[f, k] = sum over rows of d_k cos u, dMix[16, k] = sum over rows of d_k, and by the chain rule through the cosine
// e = -sin u * sum over k of d_k mix[f, k]:  dFrequency = sum over rows of e 2 pi x, dPhase = sum over rows of e.
// Operands as in waves.wgsl, dOut in the shape of its out. A dispatch covers the rows start..end of each member and adds to what
// earlier ones left: the software adapter ends an invocation after 65,535 iterations.
// Grid: one invocation per member, number and wave, and one more for the bias.
struct Sizes {
  count: u32, // members times numbers times 17
  numbers: u32,
  rows: u32, // of each member
  inputs: u32,
  outputs: u32,
  start: u32,
  end: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> places: array<vec2u>;
@group(0) @binding(2) var<storage, read> waves: array<vec2f>;
@group(0) @binding(3) var<storage, read> mix: array<f32>;
@group(0) @binding(4) var<storage, read> dOut: array<f32>;
@group(0) @binding(5) var<storage, read_write> dWaves: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> dMix: array<f32>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

const TURN = 6.283185307179586;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.count) {
    return;
  }
  let f = index % 17u;
  let own = index / 17u;
  let first = own / sizes.numbers * sizes.rows;
  let place = places[own % sizes.numbers];
  let at = index * 3u;
  let factors = vec3f(mix[at], mix[at + 1u], mix[at + 2u]);
  var sum = vec3f();
  var wave = vec2f();
  var dWave = vec2f();
  if (f < 16u) {
    wave = waves[own * 16u + f];
  }
  if (sizes.start > 0u) {
    sum = vec3f(dMix[at], dMix[at + 1u], dMix[at + 2u]);
    if (f < 16u) {
      dWave = dWaves[own * 16u + f];
    }
  }
  for (var i = first + sizes.start; i < first + sizes.end; i++) {
    let origin = i * sizes.outputs + place.y;
    let d = vec3f(dOut[origin + 1u], dOut[origin + 2u], dOut[origin + 3u]);
    if (f == 16u) {
      sum += d;
    } else {
      let value = x[i * sizes.inputs + place.x];
      let u = TURN * wave.x * value + wave.y;
      sum += cos(u) * d;
      let e = -sin(u) * dot(d, factors);
      dWave += e * vec2f(TURN * value, 1.0);
    }
  }
  dMix[at] = sum.x;
  dMix[at + 1u] = sum.y;
  dMix[at + 2u] = sum.z;
  if (f < 16u) {
    dWaves[own * 16u + f] = dWave;
  }
}
