// names: a category's number becomes values: one of `names` that is 1 (one-hot), or the `width` trained values of its row.
// The number `names` itself, where a column has shares, is a name never seen: the mix of one-hot values, or of rows, by the shares.
// Any other number beyond gives NaN: a wrong index must not pass for data.
// x [members * rows, inputs]; columns [names columns, 5]: the column of x, the first column of out, names, the first row in
// table or NONE for one-hot, the first of its shares or NONE; table [members * tableRows, width]; out [members * rows,
// outputs], of which only the values of names are written.
// Grid: one invocation per row and column of names.
struct Sizes {
  count: u32, // rows of all members times columns
  columns: u32,
  rows: u32, // of each member
  inputs: u32,
  outputs: u32,
  tableRows: u32, // of each member
  width: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read> shares: array<f32>;
@group(0) @binding(3) var<storage, read> table: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> sizes: Sizes;

const NONE = 0xffffffffu;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.count) {
    return;
  }
  let column = index % sizes.columns * 5u;
  let row = index / sizes.columns;
  let value = x[row * sizes.inputs + columns[column]];
  let to = row * sizes.outputs + columns[column + 1u];
  let names = columns[column + 2u];
  let first = columns[column + 3u];
  let share = columns[column + 4u];
  let isKnown = value >= 0.0 && value < f32(names);
  let isMix = share != NONE && value == f32(names);
  let code = u32(select(0.0, value, isKnown));
  var nan = 0x7fc00000u; // a variable, for WGSL refuses a constant that is NaN
  let other = select(bitcast<f32>(nan), 0.0, isKnown || isMix);
  if (first == NONE) {
    for (var j = 0u; j < names; j++) {
      var one = select(0.0, 1.0, isKnown && j == code) + other;
      if (isMix) {
        one = shares[share + j];
      }
      out[to + j] = one;
    }
    return;
  }
  let start = (row / sizes.rows * sizes.tableRows + first) * sizes.width;
  for (var j = 0u; j < sizes.width; j++) {
    var sum = other;
    if (isKnown) {
      sum = table[start + code * sizes.width + j];
    } else if (isMix) {
      for (var name = 0u; name < names; name++) {
        sum += shares[share + name] * table[start + name * sizes.width + j];
      }
    }
    out[to + j] = sum;
  }
}
