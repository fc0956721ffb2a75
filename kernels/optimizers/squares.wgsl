// squares: parts[p] = sum of x[i]^2 over i = p, p + count of parts, p + 2 * count of parts ...
// By fours the same elements come together, so that the parts are as many numbers and mean the same.
// Grid: one invocation per part.
alias Value = f32; // or vec4f, where all counts divide by four

struct Sizes {
  count: u32,
  parts: u32,
}
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> parts: array<Value>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let part = id.x + id.y * groups.x * 64u;
  if (part >= sizes.parts) {
    return;
  }
  var sum = Value();
  for (var i = part; i < sizes.count; i += sizes.parts) {
    sum += x[i] * x[i];
  }
  parts[part] = sum;
}
