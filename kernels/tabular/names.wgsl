// names: a category's number becomes values: one of `names` that is 1 (one-hot), or the `width` trained values of its row.
// The number `names` itself, where a column has shares, is a name never seen: the mix of one-hot values, or of rows, by the shares.
// Any other number beyond gives NaN: a wrong index must not pass for data.
// x [members * rows, inputs]; columns [names columns, 5]: the column of x, the first column of out, names, the first row in
// table or NONE for one-hot, the first of its shares or NONE; table [members * tableRows, width]; out [members * rows,
// outputs], of which only the values of names are written. A dispatch mixes the rows of names start..end, and those after the
// first add to what is there: the software adapter ends an invocation after 65,535 iterations.
// Grid: one invocation per row, column of names, and value of the widest of them.
struct Sizes {
  count: u32, // rows of all members times columns times widest
  columns: u32,
  rows: u32, // of each member
  inputs: u32,
  outputs: u32,
  tableRows: u32, // of each member
  width: u32,
  widest: u32, // values of the column that has the most
  start: u32,
  end: u32,
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
  let j = index % sizes.widest;
  let column = index / sizes.widest % sizes.columns * 5u;
  let row = index / (sizes.widest * sizes.columns);
  let value = x[row * sizes.inputs + columns[column]];
  let to = row * sizes.outputs + columns[column + 1u] + j;
  let names = columns[column + 2u];
  let first = columns[column + 3u];
  let share = columns[column + 4u];
  let isKnown = value >= 0.0 && value < f32(names);
  let isMix = share != NONE && value == f32(names);
  let code = u32(select(0.0, value, isKnown));
  var nan = 0x7fc00000u; // a variable, for WGSL refuses a constant that is NaN
  let other = select(bitcast<f32>(nan), 0.0, isKnown || isMix);
  if (first == NONE) {
    if (j < names && isMix) {
      out[to] = shares[share + j];
    } else if (j < names) {
      out[to] = select(0.0, 1.0, isKnown && j == code) + other;
    }
    return;
  }
  if (j >= sizes.width) {
    return;
  }
  let start = (row / sizes.rows * sizes.tableRows + first) * sizes.width + j;
  if (!isMix) {
    out[to] = select(other, table[start + code * sizes.width], isKnown);
    return;
  }
  var sum = 0.0;
  if (sizes.start > 0u) {
    sum = out[to];
  }
  for (var name = sizes.start; name < min(sizes.end, names); name++) {
    sum += shares[share + name] * table[start + name * sizes.width];
  }
  out[to] = sum;
}
