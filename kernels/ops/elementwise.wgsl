// elementwise: out[i] = a[i] + b[i], a[i] - b[i], a[i] * b[i], a[i] / b[i], or 1 where a[i] = b[i] and 0 elsewhere.
// Grid: one invocation per element.
alias Value = f32; // or vec4f, where all counts divide by four

override OPERATION: u32; // 0 add, 1 subtract, 2 multiply, 3 divide, 4 equal

struct Sizes {
  count: u32,
}
@group(0) @binding(0) var<storage, read> a: array<Value>;
@group(0) @binding(1) var<storage, read> b: array<Value>;
@group(0) @binding(2) var<storage, read_write> out: array<Value>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  if (OPERATION == 0u) {
    out[i] = a[i] + b[i];
  } else if (OPERATION == 1u) {
    out[i] = a[i] - b[i];
  } else if (OPERATION == 2u) {
    out[i] = a[i] * b[i];
  } else if (OPERATION == 3u) {
    out[i] = a[i] / b[i];
  } else {
    out[i] = select(Value(0.0), Value(1.0), a[i] == b[i]);
  }
}
