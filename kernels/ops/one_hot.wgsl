// oneHot: out[i, j] = 1 where numbers[i] = j, else 0, with numbers [rows] of u32 or f32 and out [rows, classes].
// A number that is no class (a fraction, one too large, NaN) gives a row of NaN: it must not pass for data.
// Grid: one invocation per output.
struct Sizes {
  count: u32, // elements of out
  classes: u32,
  real: u32, // 1 where the numbers are f32, else 0
}
@group(0) @binding(0) var<storage, read> numbers: array<u32>; // of f32 the bits
@group(0) @binding(1) var<storage, read_write> out: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.count) {
    return;
  }
  var class_number = numbers[index / sizes.classes];
  if (sizes.real == 1u) {
    // The bits are compared, for a comparison may take NaN for a number. -0 is 0.
    let bits = select(class_number, 0u, class_number == 0x80000000u);
    class_number = min(u32(max(bitcast<f32>(bits), 0.0)), sizes.classes);
    class_number = select(sizes.classes, class_number, bitcast<u32>(f32(class_number)) == bits);
  }
  if (class_number < sizes.classes) {
    out[index] = select(0.0, 1.0, class_number == index % sizes.classes);
  } else {
    var nan = 0x7fc00000u; // a variable, for WGSL refuses a constant that is NaN
    out[index] = bitcast<f32>(nan);
  }
}
