// momentum: g = dW + weightDecay * w;  v = momentum * v + g;  w = w - learningRate * (gradientShare * g + velocityShare * v)
// The shares are 0 and 1 after Polyak (1964), 1 and momentum after Nesterov (1983, in the form of Sutskever et al. 2013);
// they are sizes and not override constants, so that both run on one pipeline.
// Grid: one invocation per parameter.
alias Value = f32; // or vec4f, where all counts divide by four

struct Sizes {
  count: u32,
  weightDecay: f32,
  momentum: f32,
  gradientShare: f32,
  velocityShare: f32,
}
@group(0) @binding(0) var<storage, read_write> w: array<Value>;
@group(0) @binding(1) var<storage, read> dW: array<Value>;
@group(0) @binding(2) var<storage, read_write> v: array<Value>;
@group(0) @binding(3) var<storage, read> learningRate: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  let rate = learningRate[0];
  if (i >= sizes.count) {
    return;
  }
  let w0 = w[i];
  let dW0 = dW[i];
  let v0 = v[i];
  let g = dW0 + sizes.weightDecay * w0;
  let velocity = sizes.momentum * v0 + g;
  v[i] = velocity;
  w[i] = w0 - rate * (sizes.gradientShare * g + sizes.velocityShare * velocity);
}
