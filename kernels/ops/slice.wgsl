// slice: out[i] = x[start + i]. Copies part of x where a kernel cannot bind that part itself.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  start: u32,
}
@group(0) @binding(0) var<storage, read> x: array<u32>; // bits, of either element type
@group(0) @binding(1) var<storage, read_write> out: array<u32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  out[i] = x[sizes.start + i];
}
