// dropout: out[i] = factor * x[i] where element i is kept, else 0; factor is 1 / (1 - rate) (Srivastava et al. 2014).
// Which are kept depends only on key, step and i, through a hash. No mask is stored; the backward is the same kernel on dOut;
// and a recorded step, whose counter moves on, has another mask at each replay. dropout_mask.wgsl stands before this text.
// Grid: one invocation per element.
struct Sizes {
  count: u32,
  key: u32,
  dropped: u32, // of all 2^32 hashes, those below drop their element
  factor: f32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  out[i] = select(sizes.factor * x[i], 0.0, dropoutHash(i, sizes.key, step[0]) < sizes.dropped);
}
