// momentum: v = momentum * v + dW, then w = w - learningRate * v (Polyak 1964, the learning rate outside the velocity).
// Grid: one invocation per parameter.
alias Value = f32; // or vec4f, where all counts divide by four

struct Sizes {
  count: u32,
  momentum: f32,
}
@group(0) @binding(0) var<storage, read_write> w: array<Value>;
@group(0) @binding(1) var<storage, read> dW: array<Value>;
@group(0) @binding(2) var<storage, read_write> v: array<Value>;
@group(0) @binding(3) var<storage, read> learningRate: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < sizes.count) {
    v[i] = sizes.momentum * v[i] + dW[i];
    w[i] -= learningRate[0] * v[i];
  }
}
