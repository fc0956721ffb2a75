// adam: g = dW + weightDecay * w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
//       w = (1 - learningRate * decoupledDecay) w
//           - learningRate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
// With decoupledDecay 0 this is Adam (Kingma and Ba 2015), with weightDecay 0 it is AdamW (Loshchilov and Hutter 2019).
// powers holds beta1^t and beta2^t, updated by adam_powers.wgsl: pow() is too coarse on some drivers.
// The text before this one says where the numbers before the update are read: `before`, of adam_buffers.wgsl or adam_texels.wgsl.
// Grid: one invocation per parameter.
struct Sizes {
  count: u32,
  weightDecay: f32,
  decoupledDecay: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
}

struct Before {
  w: Value,
  dW: Value,
  m: Value,
  v: Value,
}
@group(0) @binding(0) var<storage, read_write> w: array<Value>;
@group(0) @binding(2) var<storage, read_write> m: array<Value>;
@group(0) @binding(3) var<storage, read_write> v: array<Value>;
@group(0) @binding(4) var<storage, read> powers: array<f32>;
@group(0) @binding(5) var<storage, read> learningRate: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  // Loaded by all invocations of the grid: the software adapter loads a number for all of them at once then.
  let rate = learningRate[0];
  let power1 = powers[0];
  let power2 = powers[1];
  if (i >= sizes.count) {
    return;
  }
  let old = before(i);
  let g = old.dW + sizes.weightDecay * old.w;
  let mean = sizes.beta1 * old.m + (1.0 - sizes.beta1) * g;
  let variance = sizes.beta2 * old.v + (1.0 - sizes.beta2) * g * g;
  m[i] = mean;
  v[i] = variance;
  let decayed = old.w * (1.0 - rate * sizes.decoupledDecay);
  let size = sqrt(variance / (1.0 - power2)) + sizes.epsilon;
  w[i] = decayed - rate * (mean / (1.0 - power1)) / size;
}
