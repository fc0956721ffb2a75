// pack: puts a matrix x [rows, columns] into a texture, four columns in a texel, padded with zeros to a multiple of four.
// The software adapter reads a storage texture faster than a storage buffer (tasks/bench/README.md has figures): a texel is
// one vector load, while each number of a buffer is fetched, checked and inserted for each invocation alone. Where columns
// are a multiple of four the texture's bytes are those of the matrix, and copies do the same.
// Texel i lies at (i mod across, i div across); row r starts at texel r * ceil(columns / 4).
// Grid: one invocation per texel.
struct Sizes {
  texels: u32,
  columns: u32,
  across: u32, // texels side by side in the texture
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var packed: texture_storage_2d<rgba32float, write>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.texels) {
    return;
  }
  let stride = (sizes.columns + 3u) / 4u;
  let column = i % stride * 4u;
  let at = i / stride * sizes.columns + column;
  let left = sizes.columns - column;
  // Each load by itself: one that is not needed is skipped.
  var texel = vec4f(x[at], 0.0, 0.0, 0.0);
  if (left > 1u) {
    texel.y = x[at + 1u];
  }
  if (left > 2u) {
    texel.z = x[at + 2u];
  }
  if (left > 3u) {
    texel.w = x[at + 3u];
  }
  textureStore(packed, vec2u(i % sizes.across, i / sizes.across), texel);
}
