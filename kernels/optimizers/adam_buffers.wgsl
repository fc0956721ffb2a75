// What adam.wgsl reads before it writes, from the buffers themselves.
alias Value = f32; // or vec4f, where all counts divide by four

@group(0) @binding(1) var<storage, read> dW: array<Value>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

fn before(i: u32) -> Before {
  return Before(w[i], dW[i], m[i], v[i]);
}
