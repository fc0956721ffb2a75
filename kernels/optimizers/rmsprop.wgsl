// rmsprop: g = dW + weightDecay * w;  v = decay * v + (1 - decay) * g^2;  w = w - learningRate * g / (sqrt(v) + epsilon)
// (Tieleman and Hinton 2012)
// Grid: one invocation per parameter.
alias Value = f32; // or vec4f, where all counts divide by four

struct Sizes {
  count: u32,
  weightDecay: f32,
  decay: f32,
  epsilon: f32,
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
    let g = dW[i] + sizes.weightDecay * w[i];
    v[i] = sizes.decay * v[i] + (1.0 - sizes.decay) * g * g;
    w[i] -= learningRate[0] * g / (sqrt(v[i]) + sizes.epsilon);
  }
}
