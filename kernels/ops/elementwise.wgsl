// elementwise: out[i] = a[i] + b, a[i] - b, a[i] * b, a[i] / b, or 1 where a[i] = b or a[i] > b and 0 elsewhere. What b is for
// element i depends on OPERAND: b[i]; or a row, a column or a scalar b[o, k] that is spread over a [outer, length, inner], as
// in spread.wgsl; or a number. For a number the kernel binds a once more in place of b, and does not read it.
// Grid: one invocation per element.
alias Value = f32; // or vec4f, where all counts divide by four

override OPERATION: u32; // 0 add, 1 subtract, 2 multiply, 3 divide, 4 equal, 5 greater
override OPERAND: u32 = 0u; // 0 of the same shape, 1 spread, 2 a number

struct Sizes {
  count: u32,
  length: u32,
  inner: u32,
  number: f32,
}
@group(0) @binding(0) var<storage, read> a: array<Value>;
@group(0) @binding(1) var<storage, read> b: array<Value>;
@group(0) @binding(2) var<storage, read_write> out: array<Value>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

fn operand(i: u32) -> Value {
  if (OPERAND == 0u) {
    return b[i];
  }
  if (OPERAND == 1u) {
    return b[i / (sizes.length * sizes.inner) * sizes.inner + i % sizes.inner];
  }
  return Value(sizes.number);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= sizes.count) {
    return;
  }
  let x = a[i];
  let y = operand(i);
  if (OPERATION == 0u) {
    out[i] = x + y;
  } else if (OPERATION == 1u) {
    out[i] = x - y;
  } else if (OPERATION == 2u) {
    out[i] = x * y;
  } else if (OPERATION == 3u) {
    out[i] = x / y;
  } else if (OPERATION == 4u) {
    out[i] = select(Value(0.0), Value(1.0), x == y);
  } else {
    out[i] = select(Value(0.0), Value(1.0), x > y);
  }
}
