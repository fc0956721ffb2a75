// gatherRows: out[i, j] = table[rows[cursor * stride + i % own], j], with table [tableRows, columns] and out [count, columns]:
// the same `own` rows one below the other as often as they fit. Where `rows` is several lists one after the other, the first
// `own` rows are of the first list, the next of the second, and so on.
// The cursor counts steps on the GPU, so that a recorded step sees other rows each time it is replayed.
// A row number outside the table gives NaN: a wrong index must not pass for data.
// Grid: one invocation per output.
alias Value = f32; // or vec4f, where all counts divide by four

struct Sizes {
  count: u32, // elements of out
  columns: u32,
  tableRows: u32,
  stride: u32,
  own: u32,
  lists: u32,
}
@group(0) @binding(0) var<storage, read> table: array<Value>;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> cursor: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<Value>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  // Loaded by all invocations of the grid: the software adapter loads a number for all of them at once then.
  let step = cursor[0];
  if (index >= sizes.count) {
    return;
  }
  let place = index / sizes.columns;
  let position = step * sizes.stride + place % sizes.own;
  let length = arrayLength(&rows) / sizes.lists;
  var row = sizes.tableRows;
  if (position < length) {
    row = rows[place / sizes.own % sizes.lists * length + position];
  }
  if (row < sizes.tableRows) {
    out[index] = table[row * sizes.columns + index % sizes.columns];
  } else {
    var nan = 0x7fc00000u; // a variable, for WGSL refuses a constant that is NaN
    out[index] = Value(bitcast<f32>(nan));
  }
}
