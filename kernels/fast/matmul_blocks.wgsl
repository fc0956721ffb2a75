// matmul_blocks: out = a · b with an epilogue, for software adapters. There a load costs more than arithmetic and workgroup
// memory is no faster than any other, so an invocation owns 16 x 8 outputs, held as eight 4 x 4 blocks: for every four
// inner positions it loads 24 texels and does 512 multiply-adds. Operands are textures. FLAT ones hold texel i at (i mod 4096,
// i div 4096): any shape fits. The others hold row r at y = r: a load needs no division, 1.2 to 1.4 times as fast on llvmpipe.
// a [m, k], or stored [k, m] with TRANSPOSE_A; b [k, n], or stored [n, k] with TRANSPOSE_B; y, out [m, n]; bias, sums [n].
// Texels past an operand's end are zero, so rows, columns and inner positions past the edge need no guard when read.
// With GROUPED there are several such products, their operands, biases, results and sums one after the other. A matrix' rows
// past its end are then those of the next one: where they are inner positions, they are taken for zeros.
// Grid: one invocation per 16 x 8 outputs, row by row, group by group. Workgroups of 8 spread few invocations over all threads.
// matmul_epilogue.wgsl stands before this text.
override TRANSPOSE_A: bool;
override TRANSPOSE_B: bool;
override SUMS: bool; // also give the column sums of b
override ALIGNED: bool; // n is a multiple of four: the result goes to out4, four at a time
override GROUPED: bool; // several products
override FLAT_A: bool;
override FLAT_B: bool;
override FLAT_Y: bool; // y, and a result in texels
override TEXELS: bool; // the result goes to a texture, for the products that read it: saves a copy, which ends the pass

struct Sizes {
  m: u32,
  n: u32,
  k: u32,
  groups: u32,
  key: u32, // of dropout, as are those below
  dropped: u32,
  factor: f32,
}
@group(0) @binding(0) var a: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var b: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var y: texture_storage_2d<rgba32float, read>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<storage, read_write> out4: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;
@group(0) @binding(7) var<storage, read> step: array<u32>;
@group(0) @binding(8) var outTexels: texture_storage_2d<rgba32float, write>;
@group(0) @binding(9) var<uniform> sizes: Sizes;

var<private> group: u32;
var<private> counter: u32; // of dropout: loaded once, for it costs as much as all else there

// Where a row's texel is; `stride` texels make a row.
fn texelPlace(isFlat: bool, row: u32, texel: u32, stride: u32) -> vec2u {
  if (!isFlat) {
    return vec2u(texel, row);
  }
  let at = row * stride + texel;
  return vec2u(at % 4096u, at / 4096u);
}

fn quarter(length: u32) -> u32 {
  return (length + 3u) / 4u;
}

// A block whose columns are inner positions p..p+3, with zeros past the end of one of several products.
fn cut(block: mat4x4f, p: u32) -> mat4x4f {
  if (!GROUPED) {
    return block;
  }
  let zero = vec4f();
  return mat4x4f(
    block[0],
    select(zero, block[1], p + 1u < sizes.k),
    select(zero, block[2], p + 2u < sizes.k),
    select(zero, block[3], p + 3u < sizes.k),
  );
}

// The first of a group's rows of an operand, where each has so many; or the first of its columns.
fn groupStart(length: u32) -> u32 {
  if (GROUPED) {
    return group * length;
  }
  return 0u;
}

// Rows row..row+3 of a at inner positions p..p+3.
fn blockA(row: u32, p: u32) -> mat4x4f {
  let stride = quarter(select(sizes.k, sizes.m, TRANSPOSE_A));
  let first = groupStart(select(sizes.m, sizes.k, TRANSPOSE_A)) + select(row, p, TRANSPOSE_A);
  let texel = select(p, row, TRANSPOSE_A) / 4u;
  let block = mat4x4f(
    textureLoad(a, texelPlace(FLAT_A, first, texel, stride)),
    textureLoad(a, texelPlace(FLAT_A, first + 1u, texel, stride)),
    textureLoad(a, texelPlace(FLAT_A, first + 2u, texel, stride)),
    textureLoad(a, texelPlace(FLAT_A, first + 3u, texel, stride)),
  );
  if (TRANSPOSE_A) {
    return transpose(cut(block, p));
  }
  return block;
}

// Inner positions p..p+3 of b at columns column..column+3.
fn blockB(p: u32, column: u32) -> mat4x4f {
  let stride = quarter(select(sizes.n, sizes.k, TRANSPOSE_B));
  let first = groupStart(select(sizes.k, sizes.n, TRANSPOSE_B)) + select(p, column, TRANSPOSE_B);
  let texel = select(column, p, TRANSPOSE_B) / 4u;
  let block = mat4x4f(
    textureLoad(b, texelPlace(FLAT_B, first, texel, stride)),
    textureLoad(b, texelPlace(FLAT_B, first + 1u, texel, stride)),
    textureLoad(b, texelPlace(FLAT_B, first + 2u, texel, stride)),
    textureLoad(b, texelPlace(FLAT_B, first + 3u, texel, stride)),
  );
  if (TRANSPOSE_B) {
    return transpose(block);
  }
  return cut(block, p);
}

// acc + a · b for 4 x 4 blocks, each an array of rows.
fn multiplyAdd(acc: mat4x4f, a: mat4x4f, b: mat4x4f) -> mat4x4f {
  return mat4x4f(
    fma(vec4f(a[0].w), b[3], fma(vec4f(a[0].z), b[2], fma(vec4f(a[0].y), b[1], fma(vec4f(a[0].x), b[0], acc[0])))),
    fma(vec4f(a[1].w), b[3], fma(vec4f(a[1].z), b[2], fma(vec4f(a[1].y), b[1], fma(vec4f(a[1].x), b[0], acc[1])))),
    fma(vec4f(a[2].w), b[3], fma(vec4f(a[2].z), b[2], fma(vec4f(a[2].y), b[1], fma(vec4f(a[2].x), b[0], acc[2])))),
    fma(vec4f(a[3].w), b[3], fma(vec4f(a[3].z), b[2], fma(vec4f(a[3].y), b[1], fma(vec4f(a[3].x), b[0], acc[3])))),
  );
}

// What four rows of four sums start from.
fn startAt(column: u32) -> mat4x4f {
  if (!BIAS) {
    return mat4x4f();
  }
  let at = groupStart(sizes.n) + column;
  let row = vec4f(bias[at], bias[at + 1u], bias[at + 2u], bias[at + 3u]);
  return mat4x4f(row, row, row, row);
}

// Takes four products of a row through the epilogue, and stores those that are there.
fn store4(row: u32, column: u32, product: vec4f) {
  if (row >= sizes.m || column >= sizes.n) {
    return;
  }
  let place = groupStart(sizes.m) + row;
  let at = place * sizes.n + column;
  let stride = quarter(sizes.n);
  var value = activate(product);
  if (DROPOUT) {
    value = dropOut(value, at, counter);
  }
  if (DERIVATIVE > 0u) {
    value = activateBackward(textureLoad(y, texelPlace(FLAT_Y, place, column / 4u, stride)), value);
  }
  if (TEXELS) {
    let isThere = column + vec4u(0u, 1u, 2u, 3u) < vec4u(sizes.n);
    textureStore(outTexels, texelPlace(FLAT_Y, place, column / 4u, stride), select(vec4f(), value, isThere));
  } else if (ALIGNED) {
    out4[place * stride + column / 4u] = value;
  } else {
    for (var i = 0u; i < min(sizes.n - column, 4u); i++) {
      out[at + i] = value[i];
    }
  }
}

fn store(row: u32, column: u32, block: mat4x4f) {
  store4(row, column, block[0]);
  store4(row + 1u, column, block[1]);
  store4(row + 2u, column, block[2]);
  store4(row + 3u, column, block[3]);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = id.x + id.y * groups.x * 8u;
  let across = (sizes.n + 7u) / 8u;
  var block = index / across;
  let column = index % across * 8u;
  if (GROUPED) {
    let down = (sizes.m + 15u) / 16u;
    group = block / down;
    block %= down;
    if (group >= sizes.groups) {
      return;
    }
  }
  let row = block * 16u;
  if (row >= sizes.m) {
    return;
  }
  if (DROPOUT) {
    counter = step[0];
  }
  var acc00 = startAt(column);
  var acc01 = startAt(column + 4u);
  var acc10 = acc00;
  var acc11 = acc01;
  var acc20 = acc00;
  var acc21 = acc01;
  var acc30 = acc00;
  var acc31 = acc01;
  var sum0 = vec4f();
  var sum1 = vec4f();
  // Mesa's software adapter makes constants of sizes that loops depend on alone, and then may build the kernel anew at each
  // dispatch after another one: 4 ms. So the end of the loop depends on the place, too; no index is that large.
  let end = select(sizes.k, 0u, index == 0xffffffffu);
  for (var p = 0u; p < end; p += 4u) {
    let b0 = blockB(p, column);
    let b1 = blockB(p, column + 4u);
    let a0 = blockA(row, p);
    acc00 = multiplyAdd(acc00, a0, b0);
    acc01 = multiplyAdd(acc01, a0, b1);
    let a1 = blockA(row + 4u, p);
    acc10 = multiplyAdd(acc10, a1, b0);
    acc11 = multiplyAdd(acc11, a1, b1);
    let a2 = blockA(row + 8u, p);
    acc20 = multiplyAdd(acc20, a2, b0);
    acc21 = multiplyAdd(acc21, a2, b1);
    let a3 = blockA(row + 12u, p);
    acc30 = multiplyAdd(acc30, a3, b0);
    acc31 = multiplyAdd(acc31, a3, b1);
    if (SUMS) {
      sum0 += b0[0] + b0[1] + b0[2] + b0[3];
      sum1 += b1[0] + b1[1] + b1[2] + b1[3];
    }
  }
  // A loop, whose end no compiler knows, and no eight calls: each would be compiled by itself, which takes over twice as long.
  let blocks = select(8u, 0u, index == 0xffffffffu);
  for (var i = 0u; i < blocks; i++) {
    var block = acc00;
    switch (i) {
      case 1u: {
        block = acc01;
      }
      case 2u: {
        block = acc10;
      }
      case 3u: {
        block = acc11;
      }
      case 4u: {
        block = acc20;
      }
      case 5u: {
        block = acc21;
      }
      case 6u: {
        block = acc30;
      }
      case 7u: {
        block = acc31;
      }
      default: {}
    }
    store(row + i / 2u * 4u, column + i % 2u * 4u, block);
  }
  if (SUMS && row == 0u) {
    let width = min(8u, sizes.n - column);
    for (var i = 0u; i < width; i++) {
      sums[groupStart(sizes.n) + column + i] = select(sum0[i % 4u], sum1[i % 4u], i > 3u);
    }
  }
}
