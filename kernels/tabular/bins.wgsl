// bins: a number x becomes a value for each of so many bins with edges e: clip((x - e_k) / (e_k+1 - e_k), 0, 1); the first goes
// down to -3, the last up to 4, so that values beyond all edges still tell. A bin of no width is 1 from its edge on. With one bin
// and no edges it is x itself.
// x [rows, inputs]; places [numbers] holds the column of x and the first column of out of each number; edges
// [numbers, bins + 1]; out [rows, outputs], of which only the values of numbers are written.
// Grid: one invocation per row, number and bin.
struct Sizes {
  count: u32, // rows times numbers times bins
  numbers: u32,
  bins: u32,
  inputs: u32,
  outputs: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> places: array<vec2u>;
@group(0) @binding(2) var<storage, read> edges: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.count) {
    return;
  }
  let bin = index % sizes.bins;
  let number = index / sizes.bins % sizes.numbers;
  let row = index / (sizes.bins * sizes.numbers);
  let place = places[number];
  let value = x[row * sizes.inputs + place.x];
  var result = value;
  if (sizes.bins > 1u) {
    let at = number * (sizes.bins + 1u) + bin;
    let low = edges[at];
    let width = edges[at + 1u] - low;
    if (width > 0.0) {
      let least = select(0.0, -3.0, bin == 0u);
      let most = select(1.0, 4.0, bin == sizes.bins - 1u);
      result = clamp((value - low) / width, least, most);
    } else {
      result = select(0.0, 1.0, value >= low);
    }
  }
  out[row * sizes.outputs + place.y + bin] = result;
}
