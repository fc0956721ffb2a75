// adam: g = dW + weightDecay * w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
//       w = (1 - learningRate * decoupledDecay) w
//           - learningRate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
// With decoupledDecay 0 this is Adam (Kingma and Ba 2015), with weightDecay 0 it is AdamW (Loshchilov and Hutter 2019).
// powers holds beta1^t and beta2^t, updated by adam_powers.wgsl: pow() is too coarse on some drivers.
// Grid: one invocation per parameter.
alias Value = f32; // or vec4f, where all counts divide by four

struct Sizes {
  count: u32,
  weightDecay: f32,
  decoupledDecay: f32,
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
  let rate = learningRate[0];
  let power1 = powers[0];
  let power2 = powers[1];
  if (i >= sizes.count) {
    return;
  }
  let w0 = w[i];
  let dW0 = dW[i];
  let m0 = m[i];
  let v0 = v[i];
  let g = dW0 + sizes.weightDecay * w0;
  let mean = sizes.beta1 * m0 + (1.0 - sizes.beta1) * g;
  let variance = sizes.beta2 * v0 + (1.0 - sizes.beta2) * g * g;
  m[i] = mean;
  v[i] = variance;
  let decayed = w0 * (1.0 - rate * sizes.decoupledDecay);
  let size = sqrt(variance / (1.0 - power2)) + sizes.epsilon;
  w[i] = decayed - rate * (mean / (1.0 - power1)) / size;
}
