// binsBackward: dX of bins.wgsl: a bin whose value is strictly within its bounds moves by 1 / (e_k+1 - e_k), any other not at all.
// With one bin and no edges x itself moves. Operands as in bins.wgsl, dOut in the shape of its out, dX in that of x, of which only
// the columns of numbers are written.
// Grid: one invocation per row and number.
struct Sizes {
  count: u32, // rows times numbers
  numbers: u32,
  bins: u32,
  inputs: u32,
  outputs: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> places: array<vec2u>;
@group(0) @binding(2) var<storage, read> edges: array<f32>;
@group(0) @binding(3) var<storage, read> dOut: array<f32>;
@group(0) @binding(4) var<storage, read_write> dX: array<f32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.count) {
    return;
  }
  let number = index % sizes.numbers;
  let row = index / sizes.numbers;
  let place = places[number];
  let value = x[row * sizes.inputs + place.x];
  let origin = row * sizes.outputs + place.y;
  var sum = 0.0;
  for (var bin = 0u; bin < sizes.bins; bin++) {
    var slope = 1.0;
    if (sizes.bins > 1u) {
      let at = number * (sizes.bins + 1u) + bin;
      let width = edges[at + 1u] - edges[at];
      let passed = (value - edges[at]) / width;
      let least = select(0.0, -3.0, bin == 0u);
      let most = select(1.0, 4.0, bin == sizes.bins - 1u);
      slope = 0.0;
      if (width > 0.0 && passed > least && passed < most) {
        slope = 1.0 / width;
      }
    }
    sum += slope * dOut[origin + bin];
  }
  dX[row * sizes.inputs + place.x] = sum;
}
