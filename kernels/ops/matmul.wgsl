// matmul: out[i, j] = sum over p of a[i, p] * b[p, j], the plain kernel and the yardstick of every faster one.
// a [m, k], b [k, n], out [m, n]; or several such products, their matrices one after the other: aGroup and bGroup are the
// elements of each. Each operand is read through its strides, so that a transposed matrix costs nothing.
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
  aGroup: u32,
  bGroup: u32,
  groups: u32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
  let index = id.x + id.y * workgroups.x * 64u;
  if (index >= sizes.groups * sizes.m * sizes.n) {
    return;
  }
  let group = index / (sizes.m * sizes.n);
  let i = index / sizes.n % sizes.m;
  let j = index % sizes.n;
  let aStart = group * sizes.aGroup + i * sizes.aRow;
  let bStart = group * sizes.bGroup + j * sizes.bColumn;
  var sum = 0.0;
  if (sizes.innerStart > 0u) {
    sum = out[index];
  }
  for (var p = sizes.innerStart; p < sizes.innerEnd; p++) {
    sum += a[aStart + p * sizes.aInner] * b[bStart + p * sizes.bInner];
  }
  out[index] = sum;
}
