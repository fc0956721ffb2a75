// notFinite: flags[place] = 1 where any element of x is NaN or infinite, told by its exponent's bits, which are all ones
// then: a compiler may assume that there is no NaN. Otherwise flags stay as they are.
// Grid: one invocation per part; part p looks at elements p, p + parts, p + 2 * parts ...
alias Bits = u32; // or vec4u, where all counts divide by four

struct Sizes {
  count: u32, // of elements
  parts: u32,
  place: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Bits>;
@group(0) @binding(1) var<storage, read_write> flags: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let part = id.x + id.y * groups.x * 64u;
  if (part >= sizes.parts) {
    return;
  }
  let exponent = Bits(0x7f800000u);
  var highest = Bits();
  for (var i = part; i < sizes.count; i += sizes.parts) {
    highest = max(highest, x[i] & exponent);
  }
  if (any(highest == exponent)) {
    atomicStore(&flags[sizes.place], 1u);
  }
}
