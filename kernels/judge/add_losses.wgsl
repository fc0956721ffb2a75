// addLosses: sums[m] = sums[m] + shares[m] * losses[m], for validation rows that come in chunks: shares[m] is that of the chunk
// in the rows of member m.
// Grid: one invocation per member.
struct Sizes {
  members: u32,
}
@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read> shares: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < sizes.members) {
    sums[id.x] += shares[id.x] * losses[id.x];
  }
}
