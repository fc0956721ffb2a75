// loads: what one load costs, an entry point for each kind. Every invocation adds up `turns` terms, sum = 0.5 * sum + term,
// where term is loaded; so a row of the table holds the loop, the index and that multiply-add, too.
// The compiler cannot compute anything in advance: indices begin at `start`, which it does not know, move on in each turn, and
// each sum ends in memory. All tables hold the same numbers and stay in the first-level cache.
// Grid: a multiple of `lanes` invocations. Lane i of turn k reads number 8 k + i, where nothing else is said.
override lanes: u32 = 8u;
override turns: u32 = 1000u;

@group(0) @binding(0) var<storage, read_write> sums: array<f32>;
@group(0) @binding(1) var<storage, read> numbers: array<f32, 1024>;
@group(0) @binding(2) var<storage, read> vectors: array<vec4f, 256>;
@group(0) @binding(3) var<uniform> uniforms: array<vec4f, 256>;
@group(0) @binding(4) var stored: texture_storage_2d<rgba32float, read>;
@group(0) @binding(5) var sampled: texture_2d<f32>;
@group(0) @binding(6) var<uniform> start: u32;

var<workgroup> sharedNumbers: array<f32, 64>;
var<workgroup> sharedVectors: array<vec4f, 16>;

struct Place {
  @builtin(global_invocation_id) id: vec3u,
  @builtin(local_invocation_index) lane: u32,
}

// Nothing but the multiply-add.
@compute @workgroup_size(lanes)
fn multiplyAdd(place: Place) {
  let term = numbers[start];
  var sum = 0.0;
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, 0.5, term);
  }
  sums[place.id.x] = sum;
}

@compute @workgroup_size(lanes)
fn storageSame(place: Place) {
  var sum = 0.0;
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, 0.5, numbers[(start + k) % 1024u]);
  }
  sums[place.id.x] = sum;
}

@compute @workgroup_size(lanes)
fn storageContiguous(place: Place) {
  var sum = 0.0;
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, 0.5, numbers[(start + 8u * k + place.lane) % 1024u]);
  }
  sums[place.id.x] = sum;
}

// Neighbouring lanes read numbers that lie 128 apart.
@compute @workgroup_size(lanes)
fn storageStrided(place: Place) {
  var sum = 0.0;
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, 0.5, numbers[(start + k + 128u * place.lane) % 1024u]);
  }
  sums[place.id.x] = sum;
}

@compute @workgroup_size(lanes)
fn storageVector(place: Place) {
  var sum = vec4f();
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, vec4f(0.5), vectors[(start + 8u * k + place.lane) % 256u]);
  }
  sums[place.id.x] = dot(sum, vec4f(1.0));
}

@compute @workgroup_size(lanes)
fn workgroupNumber(place: Place) {
  for (var i = place.lane; i < 64u; i += lanes) {
    sharedNumbers[i] = numbers[i];
  }
  workgroupBarrier();
  var sum = 0.0;
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, 0.5, sharedNumbers[(start + 8u * k + place.lane) % 64u]);
  }
  sums[place.id.x] = sum;
}

@compute @workgroup_size(lanes)
fn workgroupVector(place: Place) {
  for (var i = place.lane; i < 16u; i += lanes) {
    sharedVectors[i] = vectors[i];
  }
  workgroupBarrier();
  var sum = vec4f();
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, vec4f(0.5), sharedVectors[(start + 8u * k + place.lane) % 16u]);
  }
  sums[place.id.x] = dot(sum, vec4f(1.0));
}

@compute @workgroup_size(lanes)
fn uniformVector(place: Place) {
  var sum = vec4f();
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, vec4f(0.5), uniforms[(start + 8u * k + place.lane) % 256u]);
  }
  sums[place.id.x] = dot(sum, vec4f(1.0));
}

@compute @workgroup_size(lanes)
fn storedTexel(place: Place) {
  var sum = vec4f();
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, vec4f(0.5), textureLoad(stored, vec2u((start + 8u * k + place.lane) % 256u, 0u)));
  }
  sums[place.id.x] = dot(sum, vec4f(1.0));
}

@compute @workgroup_size(lanes)
fn sampledTexel(place: Place) {
  var sum = vec4f();
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, vec4f(0.5), textureLoad(sampled, vec2u((start + 8u * k + place.lane) % 256u, 0u), 0));
  }
  sums[place.id.x] = dot(sum, vec4f(1.0));
}

@compute @workgroup_size(lanes)
fn privateNumber(place: Place) {
  var own: array<f32, 16>;
  for (var i = 0u; i < 16u; i++) {
    own[i] = numbers[i];
  }
  var sum = 0.0;
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, 0.5, own[(start + 8u * k + place.lane) % 16u]);
  }
  sums[place.id.x] = sum;
}

// Each turn needs the one before it.
@compute @workgroup_size(lanes)
fn exponential(place: Place) {
  let term = numbers[start];
  var sum = 0.0;
  for (var k = 0u; k < turns; k++) {
    sum = fma(exp(-sum), 0.5, term);
  }
  sums[place.id.x] = sum;
}

@compute @workgroup_size(lanes)
fn barrier(place: Place) {
  let term = numbers[start];
  var sum = 0.0;
  for (var k = 0u; k < turns; k++) {
    sum = fma(sum, 0.5, term);
    workgroupBarrier();
  }
  sums[place.id.x] = sum;
}

@compute @workgroup_size(lanes)
fn nothing() {}
