// matmul_tiles: out = a · b with an epilogue, for hardware GPUs. A workgroup of 256 owns 64 x 64 outputs: it brings 64 x 16
// of a and 16 x 64 of b into workgroup memory together, neighbours reading neighbouring numbers, and each invocation then
// multiplies 4 x 4 outputs out of it, so that a number fetched once serves 64 products.
// a [m, k], or stored [k, m] with TRANSPOSE_A; b [k, n], or stored [n, k] with TRANSPOSE_B; y, out [m, n]; bias, sums [n].
// Past the edges it loads zeros and stores nothing. There may be several such products, their operands, biases, results and sums
// one after the other.
// Grid: one workgroup per 64 x 64 outputs, row by row, group by group. matmul_epilogue.wgsl stands before this text.
override TRANSPOSE_A: bool;
override TRANSPOSE_B: bool;
override SUMS: bool; // also give the column sums of b

struct Sizes {
  m: u32,
  n: u32,
  k: u32,
  groups: u32,
  key: u32, // of dropout, as are those below
  dropped: u32,
  factor: f32,
}
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> y: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> sums: array<f32>;
@group(0) @binding(6) var<storage, read> step: array<u32>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

var<private> group: u32;

// Both lie inner position by inner position: tileA[p][row], tileB[p][column], four in a vector.
var<workgroup> tileA: array<array<vec4f, 16>, 16>;
var<workgroup> tileB: array<array<vec4f, 16>, 16>;

fn loadA(row: u32, p: u32) -> f32 {
  if (row >= sizes.m || p >= sizes.k) {
    return 0.0;
  }
  return a[group * sizes.m * sizes.k + select(row * sizes.k + p, p * sizes.m + row, TRANSPOSE_A)];
}

fn loadB(p: u32, column: u32) -> f32 {
  if (p >= sizes.k || column >= sizes.n) {
    return 0.0;
  }
  return b[group * sizes.k * sizes.n + select(p * sizes.n + column, column * sizes.k + p, TRANSPOSE_B)];
}

// One row of four outputs.
fn store4(row: u32, column: u32, product: vec4f) {
  let first = (group * sizes.m + row) * sizes.n + column;
  var value = activate(product);
  if (DROPOUT) {
    value = dropOut(value, first, step[0]);
  }
  for (var i = 0u; i < 4u; i++) {
    if (row < sizes.m && column + i < sizes.n) {
      let at = first + i;
      out[at] = activateBackward(vec4f(y[select(0u, at, DERIVATIVE > 0u)]), vec4f(value[i])).x;
    }
  }
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let across = (sizes.n + 63u) / 64u;
  let down = (sizes.m + 63u) / 64u;
  let index = workgroup.x + workgroup.y * groups.x;
  group = index / (across * down);
  let firstRow = index / across % down * 64u;
  let firstColumn = index % across * 64u;
  // This invocation's 4 x 4 outputs within the tile.
  let row = local / 16u;
  let column = local % 16u;
  var acc0 = vec4f();
  var acc1 = vec4f();
  var acc2 = vec4f();
  var acc3 = vec4f();
  var sum = vec4f();
  for (var start = 0u; start < sizes.k; start += 16u) {
    // Which four numbers of each tile it brings: consecutive invocations read consecutive addresses.
    for (var i = 0u; i < 4u; i++) {
      let at = local + i * 256u;
      let outerA = select(at / 16u, at % 64u, TRANSPOSE_A);
      let innerA = select(at % 16u, at / 64u, TRANSPOSE_A);
      tileA[innerA][outerA / 4u][outerA % 4u] = loadA(firstRow + outerA, start + innerA);
      let outerB = select(at % 64u, at / 16u, TRANSPOSE_B);
      let innerB = select(at / 64u, at % 16u, TRANSPOSE_B);
      tileB[innerB][outerB / 4u][outerB % 4u] = loadB(start + innerB, firstColumn + outerB);
    }
    workgroupBarrier();
    for (var p = 0u; p < 16u; p++) {
      let left = tileA[p][row];
      let right = tileB[p][column];
      acc0 = fma(vec4f(left.x), right, acc0);
      acc1 = fma(vec4f(left.y), right, acc1);
      acc2 = fma(vec4f(left.z), right, acc2);
      acc3 = fma(vec4f(left.w), right, acc3);
      if (SUMS) {
        sum += right;
      }
    }
    workgroupBarrier();
  }
  let outRow = firstRow + 4u * row;
  let outColumn = firstColumn + 4u * column;
  if (BIAS) {
    // Reads past the end stay within what the outputs below will not store.
    let last = sizes.n - 1u;
    let own = group * sizes.n;
    let start = vec4f(
      bias[own + min(outColumn, last)],
      bias[own + min(outColumn + 1u, last)],
      bias[own + min(outColumn + 2u, last)],
      bias[own + min(outColumn + 3u, last)],
    );
    acc0 += start;
    acc1 += start;
    acc2 += start;
    acc3 += start;
  }
  store4(outRow, outColumn, acc0);
  store4(outRow + 1u, outColumn, acc1);
  store4(outRow + 2u, outColumn, acc2);
  store4(outRow + 3u, outColumn, acc3);
  if (SUMS && outRow == 0u) {
    for (var i = 0u; i < 4u; i++) {
      if (outColumn + i < sizes.n) {
        sums[group * sizes.n + outColumn + i] = sum[i];
      }
    }
  }
}
