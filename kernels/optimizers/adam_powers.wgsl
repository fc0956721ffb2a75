// adamPowers: powers = (powers[0] * beta1, powers[1] * beta2), once a step, so that they hold beta1^t and beta2^t.
// Grid: a single invocation.
struct Sizes {
  beta1: f32,
  beta2: f32,
}
@group(0) @binding(0) var<storage, read_write> powers: array<f32>;
@group(0) @binding(1) var<uniform> sizes: Sizes;

@compute @workgroup_size(1)
fn main() {
  powers[0] *= sizes.beta1;
  powers[1] *= sizes.beta2;
}
