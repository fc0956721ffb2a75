// waves: a number x becomes four values: x itself, and three mixes of 16 waves of it,
// out_k = mix[16, k] + sum over f of mix[f, k] * cos(2 pi frequency_f x + phase_f).
// x [members * rows, inputs]; places [numbers] holds the column of x and the first column of out of each number; waves
// [members * numbers * 16] pairs of frequency and phase; mix [members * numbers * 17, 3], its last row the bias; out
// [members * rows, outputs], of which only the values of numbers are written.
// Grid: one invocation per row and number.
struct Sizes {
  count: u32, // rows of all members times numbers
  numbers: u32,
  rows: u32, // of each member
  inputs: u32,
  outputs: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> places: array<vec2u>;
@group(0) @binding(2) var<storage, read> waves: array<vec2f>;
@group(0) @binding(3) var<storage, read> mix: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

const TURN = 6.283185307179586;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.count) {
    return;
  }
  let number = index % sizes.numbers;
  let row = index / sizes.numbers;
  let own = row / sizes.rows * sizes.numbers + number;
  let place = places[number];
  let value = x[row * sizes.inputs + place.x];
  let bias = (own * 17u + 16u) * 3u;
  var sum = vec3f(mix[bias], mix[bias + 1u], mix[bias + 2u]);
  for (var f = 0u; f < 16u; f++) {
    let wave = waves[own * 16u + f];
    let at = (own * 17u + f) * 3u;
    sum += cos(TURN * wave.x * value + wave.y) * vec3f(mix[at], mix[at + 1u], mix[at + 2u]);
  }
  let to = row * sizes.outputs + place.y;
  out[to] = value;
  out[to + 1u] = sum.x;
  out[to + 2u] = sum.y;
  out[to + 3u] = sum.z;
}
