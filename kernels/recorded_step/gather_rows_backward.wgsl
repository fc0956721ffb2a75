// gatherRowsBackward: dTable[r, j] = sum of dOut[i, j] over those i with rows[i] = r.
// dOut [count, columns], rows [count], dTable [tableRows, columns]. Each invocation looks through all row numbers, so that a
// row that was picked twice is added up without atomics, in one fixed order. One dispatch covers the positions start..end
// and adds to what earlier ones left: the software adapter ends an invocation after 65,535 iterations.
// Grid: one invocation per element of dTable.
struct Sizes {
  size: u32, // elements of dTable
  columns: u32,
  start: u32,
  end: u32,
}
@group(0) @binding(0) var<storage, read> dOut: array<f32>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read_write> dTable: array<f32>;
@group(0) @binding(3) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.size) {
    return;
  }
  let row = index / sizes.columns;
  var sum = 0.0;
  if (sizes.start > 0u) {
    sum = dTable[index];
  }
  for (var i = sizes.start; i < sizes.end; i++) {
    if (rows[i] == row) {
      sum += dOut[i * sizes.columns + index % sizes.columns];
    }
  }
  dTable[index] = sum;
}
