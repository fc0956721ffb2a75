// names: a category's number becomes values: one of `names` that is 1 (one-hot), or the `width` trained values of its row.
// The number `names` itself, where a column has shares, is a name never seen: the mix of one-hot values, or of rows, by the shares.
// Any other number beyond gives NaN: a wrong index must not pass for data.
// x [members * rows, inputs]; columns [names columns, 5]: the column of x, the first column of out, names, the first row in
// table or NONE for one-hot, the first of its shares or NONE; table [members * tableRows, width]; out [members * rows,
// outputs], of which only the values of names are written. A dispatch mixes the rows of names start..end, and those after the
// first add to what is there: the software adapter ends an invocation after 65,535 iterations.
// Grid: one invocation per column of names, some of the rows, and some of the values: it loads what it knows of its column once.
struct Sizes {
  count: u32, // columns times parts times pieces
  parts: u32, // of the rows: an invocation takes the rows part, part + parts, part + 2 parts, and so on
  pieces: u32, // of the values of the column that has the most of them
  values: u32, // of a piece
  allRows: u32, // of all members
  rows: u32, // of each member
  inputs: u32,
  outputs: u32,
  tableRows: u32, // of each member
  width: u32,
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

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 8u;
  if (index >= sizes.count) {
    return;
  }
  let column = index / (sizes.parts * sizes.pieces) * 5u;
  let input = columns[column];
  let to = columns[column + 1u];
  let names = columns[column + 2u];
  let first = columns[column + 3u];
  let share = columns[column + 4u];
  let begin = index / sizes.parts % sizes.pieces * sizes.values;
  let end = min(begin + sizes.values, select(sizes.width, names, first == NONE));
  var nan = 0x7fc00000u; // a variable, for WGSL refuses a constant that is NaN
  for (var row = index % sizes.parts; row < sizes.allRows; row += sizes.parts) {
    let value = x[row * sizes.inputs + input];
    let isKnown = value >= 0.0 && value < f32(names);
    let isMix = share != NONE && value == f32(names);
    let code = u32(select(0.0, value, isKnown));
    let other = select(bitcast<f32>(nan), 0.0, isKnown || isMix);
    let start = (row / sizes.rows * sizes.tableRows + first) * sizes.width;
    for (var j = begin; j < end; j++) {
      let place = row * sizes.outputs + to + j;
      var result = select(other, 1.0, isKnown && j == code);
      if (isMix && first == NONE) {
        result = shares[share + j];
      } else if (isMix) {
        result = mixed(place, start + j, share, names);
      } else if (first != NONE) {
        result = select(other, table[start + code * sizes.width + j], isKnown);
      }
      out[place] = result;
    }
  }
}

// A value of the mix of rows, from `start` on in the table.
fn mixed(place: u32, start: u32, share: u32, names: u32) -> f32 {
  var sum = 0.0;
  if (sizes.start > 0u) {
    sum = out[place];
  }
  for (var name = sizes.start; name < min(sizes.end, names); name++) {
    sum += shares[share + name] * table[start + name * sizes.width];
  }
  return sum;
}
