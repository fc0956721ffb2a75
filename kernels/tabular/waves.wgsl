// waves: a number x becomes four values: x itself, and three mixes of 16 waves of it,
// out_k = mix[16, k] + sum over f of mix[f, k] * cos(2 pi frequency_f x + phase_f).
// x [members * rows, inputs]; places [numbers] holds the column of x and the first column of out of each number; waves
// [members * numbers * 16] pairs of frequency and phase; mix [members * numbers * 17, 3], its last row the bias; out
// [members * rows, outputs], of which only the values of numbers are written.
// Grid: one invocation per number of a member, and some of its rows: the parameters are loaded once. wave.wgsl stands before
// this text.
struct Sizes {
  count: u32, // members times numbers, times parts of the rows
  numbers: u32,
  members: u32,
  rows: u32, // of each member
  part: u32, // rows of an invocation
  inputs: u32,
  outputs: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> places: array<vec2u>;
@group(0) @binding(2) var<storage, read> waves: array<vec2f>;
@group(0) @binding(3) var<storage, read> mix: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

fn mixed(four: Waves, value: f32) -> vec3f {
  let c = cosine(four.frequency * value + four.phase);
  return vec3f(dot(c, four.first), dot(c, four.second), dot(c, four.third));
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 8u;
  if (index >= sizes.count) {
    return;
  }
  let all = sizes.members * sizes.numbers;
  let own = index % all;
  let start = index / all * sizes.part;
  let first = own / sizes.numbers * sizes.rows;
  let place = places[own % sizes.numbers];
  let bias = (own * 17u + 16u) * 3u;
  let biases = vec3f(mix[bias], mix[bias + 1u], mix[bias + 2u]);
  let four = fourOf(all);
  var waves0: Waves;
  var waves1: Waves;
  var waves2: Waves;
  var waves3: Waves;
  for (var quarter = 0u; quarter < four; quarter++) {
    waves0 = waves1;
    waves1 = waves2;
    waves2 = waves3;
    waves3 = wavesOf(own, quarter, four);
  }
  for (var row = first + start; row < first + min(start + sizes.part, sizes.rows); row++) {
    let value = x[row * sizes.inputs + place.x];
    let sum = biases + mixed(waves0, value) + mixed(waves1, value) + mixed(waves2, value) + mixed(waves3, value);
    let to = row * sizes.outputs + place.y;
    out[to] = value;
    out[to + 1u] = sum.x;
    out[to + 2u] = sum.y;
    out[to + 3u] = sum.z;
  }
}
