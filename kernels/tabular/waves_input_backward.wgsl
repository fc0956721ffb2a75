// wavesInputBackward: dX of waves.wgsl. x itself is the first of the four values, so d_0 passes; the others move by the chain
// rule through each cosine, dX = d_0 + sum over f of -sin u * 2 pi frequency_f * sum over k of d_k mix[f, k].
// Operands as in waves.wgsl, dOut in the shape of its out, dX in that of x, of which only the columns of numbers are written.
// Grid: one invocation per row and number. wave.wgsl stands before this text.
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
@group(0) @binding(4) var<storage, read> dOut: array<f32>;
@group(0) @binding(5) var<storage, read_write> dX: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

fn slope(own: u32, quarter: u32, four: u32, value: f32, d: vec3f) -> f32 {
  let some = wavesOf(own, quarter, four);
  let e = falling(some.frequency * value + some.phase) * (d.x * some.first + d.y * some.second + d.z * some.third);
  return TURN * dot(e, some.frequency);
}

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
  let origin = row * sizes.outputs + place.y;
  let d = vec3f(dOut[origin + 1u], dOut[origin + 2u], dOut[origin + 3u]);
  let four = fourOf(sizes.count / sizes.rows);
  var sum = dOut[origin];
  for (var quarter = 0u; quarter < four; quarter++) {
    sum += slope(own, quarter, four, value, d);
  }
  dX[row * sizes.inputs + place.x] = sum;
}
