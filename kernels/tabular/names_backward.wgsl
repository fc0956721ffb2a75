// namesBackward: dTable of names.wgsl: each row of the table gets the sum of dOut over the rows of x that picked it; a name never
// seen moves every row of its column, by its share.
// Operands as in names.wgsl; dOut in the shape of its out, dTable in that of table; mixed [members, columns, width] gets the
// sum of dOut over the rows of names never seen. Positions start..end of a column are done by one dispatch: the first
// `longest` set its rows to 0, those after them are rows of x, and the last `longest` add the mixed sum to its rows by their
// shares; the software adapter ends an invocation after 65,535 iterations.
// Grid: one invocation per member, column of names, and value of a row: each owns its part of dTable, in one fixed order.
struct Sizes {
  count: u32, // members times columns times width
  columns: u32,
  rows: u32, // of each member
  inputs: u32,
  outputs: u32,
  tableRows: u32, // of each member
  width: u32,
  longest: u32, // names of the column that has the most
  start: u32,
  end: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> columns: array<u32>;
@group(0) @binding(2) var<storage, read> shares: array<f32>;
@group(0) @binding(3) var<storage, read> dOut: array<f32>;
@group(0) @binding(4) var<storage, read_write> dTable: array<f32>;
@group(0) @binding(5) var<storage, read_write> mixed: array<f32>;
@group(0) @binding(6) var<uniform> sizes: Sizes;

const NONE = 0xffffffffu;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 64u;
  if (index >= sizes.count) {
    return;
  }
  let j = index % sizes.width;
  let column = index / sizes.width % sizes.columns * 5u;
  let member = index / (sizes.width * sizes.columns);
  let first = columns[column + 3u];
  if (first == NONE) {
    return;
  }
  let names = columns[column + 2u];
  let share = columns[column + 4u];
  let start = (member * sizes.tableRows + first) * sizes.width + j;
  let rows = sizes.longest + sizes.rows;
  var sum = 0.0;
  if (sizes.start > 0u) {
    sum = mixed[index];
  }
  for (var p = sizes.start; p < sizes.end; p++) {
    if (p < sizes.longest) {
      if (p < names) {
        dTable[start + p * sizes.width] = 0.0;
      }
      continue;
    }
    if (p >= rows) {
      let name = p - rows;
      if (sum != 0.0 && name < names) {
        dTable[start + name * sizes.width] += shares[share + name] * sum;
      }
      continue;
    }
    let row = member * sizes.rows + p - sizes.longest;
    let value = x[row * sizes.inputs + columns[column]];
    let d = dOut[row * sizes.outputs + columns[column + 1u] + j];
    if (value < f32(names)) {
      dTable[start + u32(max(value, 0.0)) * sizes.width] += d;
    } else if (share != NONE) {
      sum += d;
    }
  }
  mixed[index] = sum;
}
