// matmul: out[i, j] = sum over p of a[i, p] * b[p, j], the plain kernel and the yardstick of every faster one.
// a [m, k], b [k, n], out [m, n]. Each operand is read through its strides, so that a transposed matrix costs nothing.
// One dispatch covers the inner positions innerStart..innerEnd and adds to what earlier ones left: the software adapter
// ends an invocation after 65,535 loop iterations without a word.
// Grid: one invocation per output, row by row.
struct Sizes {
  m: u32,
  n: u32,
  aRow: u32,
  aInner: u32,
  bInner: u32,
  bColumn: u32,
  innerStart: u32,
  innerEnd: u32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.m * sizes.n) {
    return;
  }
  let i = index / sizes.n;
  let j = index % sizes.n;
  var sum = 0.0;
  if (sizes.innerStart > 0u) {
    sum = out[index];
  }
  for (var p = sizes.innerStart; p < sizes.innerEnd; p++) {
    sum += a[i * sizes.aRow + p * sizes.aInner] * b[p * sizes.bInner + j * sizes.bColumn];
  }
  out[index] = sum;
}
