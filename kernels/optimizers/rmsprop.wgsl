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
  let rate = learningRate[0];
  if (i >= sizes.count) {
    return;
  }
  let w0 = w[i];
  let dW0 = dW[i];
  let v0 = v[i];
  let g = dW0 + sizes.weightDecay * w0;
  let square = sizes.decay * v0 + (1.0 - sizes.decay) * g * g;
  v[i] = square;
  w[i] = w0 - rate * g / (sqrt(square) + sizes.epsilon);
}
