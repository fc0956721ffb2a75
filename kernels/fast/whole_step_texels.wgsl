// Where whole_step.wgsl keeps its numbers on a software adapter: in a texture. On an AMD EPYC under Mesa 22.3.6 a texel
// takes a sixth of the time of a number from a buffer or from workgroup memory; tasks/bench/README.md has the table. The
// weights are copied there, after the rows.
const WIDTH_BITS = 10u; // of the texture, 1,024 texels wide

@group(0) @binding(8) var memory: texture_storage_2d<r32float, read_write>;

fn texelOf(place: u32) -> vec2u {
  return vec2u(place & ((1u << WIDTH_BITS) - 1u), place >> WIDTH_BITS);
}

fn at(place: u32) -> f32 {
  return textureLoad(memory, texelOf(place)).x;
}

fn keep(place: u32, v: f32) {
  textureStore(memory, texelOf(place), vec4f(v));
}

fn rowsAt(block: u32) -> vec4f {
  return vec4f(at(4u * block), at(4u * block + 1u), at(4u * block + 2u), at(4u * block + 3u));
}

fn keepRows(block: u32, v: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    keep(4u * block + i, v[i]);
  }
}

fn weightAt(place: u32) -> f32 {
  return at(weightsStart + place);
}

fn keepWeights(invocation: u32) {
  weightsStart = 4u * plan.weights;
  for (var i = invocation; i < arrayLength(&values); i += INVOCATIONS) {
    keep(weightsStart + i, values[i]);
  }
}

fn synchronize() {
  workgroupBarrier();
  textureBarrier();
}

var<private> weightsStart: u32; // the first texel of the weights
