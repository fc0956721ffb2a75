// sgd: g = dW + weightDecay * w;  w = w - learningRate * g, over the flat buffer of all parameters (Robbins and Monro 1951).
// sgdStep, one step of a single tensor, has its learning rate in the sizes: it binds dW once more in place of the rate's buffer.
// w0 and dW0 are what is there before the update: lib's fromTexels makes their lines loads from textures.
// Grid: one invocation per parameter.
alias Value = f32; // or vec4f, where all counts divide by four

override RATE_IN_SIZES: u32; // 1 takes the learning rate from the sizes, 0 from its buffer

struct Sizes {
  count: u32,
  weightDecay: f32,
  learningRate: f32,
}
@group(0) @binding(0) var<storage, read_write> w: array<Value>;
@group(0) @binding(1) var<storage, read> dW: array<Value>;
@group(0) @binding(2) var<storage, read> learningRate: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  // Loaded by all invocations of the grid: the software adapter loads a number for all of them at once then.
  let rate = select(learningRate[0], sizes.learningRate, RATE_IN_SIZES == 1u);
  if (i >= sizes.count) {
    return;
  }
  let w0 = w[i];
  let dW0 = dW[i];
  w[i] = w0 - rate * (dW0 + sizes.weightDecay * w0);
}
