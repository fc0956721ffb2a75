// clip: x = factor * x; what is 0 stays 0, under a factor of NaN too, as do the gaps between parameters.
// Grid: one invocation per element.
alias Value = f32; // or vec4f, where all counts divide by four

struct Sizes {
  count: u32,
}
@group(0) @binding(0) var<storage, read_write> x: array<Value>;
@group(0) @binding(1) var<storage, read> factor: array<f32>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < sizes.count) {
    x[i] = select(factor[0] * x[i], x[i], x[i] == Value());
  }
}
