// adam: m = beta1 m + (1 - beta1) dW;  v = beta2 v + (1 - beta2) dW^2;
//       w = w - learningRate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)      (Kingma and Ba 2015)
// powers holds beta1^t and beta2^t, kept by adam_powers.wgsl: pow() is too coarse on some drivers.
// Grid: one invocation per parameter.
alias Value = f32; // or vec4f, where all counts divide by four

struct Sizes {
  count: u32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
}
@group(0) @binding(0) var<storage, read_write> w: array<Value>;
@group(0) @binding(1) var<storage, read> dW: array<Value>;
@group(0) @binding(2) var<storage, read_write> m: array<Value>;
@group(0) @binding(3) var<storage, read_write> v: array<Value>;
@group(0) @binding(4) var<storage, read> powers: array<f32>;
@group(0) @binding(5) var<storage, read> learningRate: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  m[i] = sizes.beta1 * m[i] + (1.0 - sizes.beta1) * dW[i];
  v[i] = sizes.beta2 * v[i] + (1.0 - sizes.beta2) * dW[i] * dW[i];
  let mean = m[i] / (1.0 - powers[0]);
  let variance = v[i] / (1.0 - powers[1]);
  w[i] -= learningRate[0] * mean / (sqrt(variance) + sizes.epsilon);
}
