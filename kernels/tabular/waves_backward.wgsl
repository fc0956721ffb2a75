// wavesBackward: the gradients of waves.wgsl. With u = 2 pi frequency x + phase, and d_k the gradient of out_k:
// dMix[f, k] = sum over rows of d_k cos u, dMix[16, k] = sum over rows of d_k, and by the chain rule through the cosine
// e = -sin u * sum over k of d_k mix[f, k]:  dFrequency = sum over rows of e 2 pi x, dPhase = sum over rows of e.
// Operands as in waves.wgsl, dOut in the shape of its out. A dispatch covers the rows start..end of each member and adds to what
// earlier ones left: the software adapter ends an invocation after 65,535 iterations.
// Grid: one invocation per number of a member: it holds the sums of all its waves. wave.wgsl stands before this text.
struct Sizes {
  count: u32, // members times numbers
  numbers: u32,
  rows: u32, // of each member
  inputs: u32,
  outputs: u32,
  start: u32,
  end: u32,
}
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> places: array<vec2u>;
@group(0) @binding(2) var<storage, read> waves: array<vec2f>;
@group(0) @binding(3) var<storage, read> mix: array<f32>;
@group(0) @binding(4) var<storage, read> dOut: array<f32>;
@group(0) @binding(5) var<storage, read_write> dWaves: array<vec2f>;
@group(0) @binding(6) var<storage, read_write> dMix: array<f32>;
@group(0) @binding(7) var<uniform> sizes: Sizes;

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let own = id.x + id.y * groups.x * 8u;
  if (own >= sizes.count) {
    return;
  }
  let first = own / sizes.numbers * sizes.rows;
  let place = places[own % sizes.numbers];
  let four = fourOf(sizes.count);
  var waves0: Waves;
  var waves1: Waves;
  var waves2: Waves;
  var waves3: Waves;
  for (var quarter = 0u; quarter < four; quarter++) {
    waves0 = waves1;
    waves1 = waves2;
    waves2 = waves3;
    waves3 = wavesOf(own, quarter, four);
  }
  var sum0: Waves;
  var sum1: Waves;
  var sum2: Waves;
  var sum3: Waves;
  var biases = vec3f();
  for (var i = first + sizes.start; i < first + sizes.end; i++) {
    let value = x[i * sizes.inputs + place.x];
    let origin = i * sizes.outputs + place.y;
    let d = vec3f(dOut[origin + 1u], dOut[origin + 2u], dOut[origin + 3u]);
    biases += d;
    addTo(&sum0, waves0, value, d);
    addTo(&sum1, waves1, value, d);
    addTo(&sum2, waves2, value, d);
    addTo(&sum3, waves3, value, d);
  }
  for (var quarter = 0u; quarter < four; quarter++) {
    keep(own, quarter, four, sum0);
    sum0 = sum1;
    sum1 = sum2;
    sum2 = sum3;
  }
  keepMix((own * 17u + 16u) * 3u, biases);
}

fn addTo(sum: ptr<function, Waves>, four: Waves, value: f32, d: vec3f) {
  let t = four.frequency * value + four.phase;
  let c = cosine(t);
  (*sum).first += d.x * c;
  (*sum).second += d.y * c;
  (*sum).third += d.z * c;
  let e = falling(t) * (d.x * four.first + d.y * four.second + d.z * four.third);
  (*sum).frequency += e * value; // times TURN where it is stored
  (*sum).phase += e;
}

// Stores four waves' sums, or adds them to those of earlier rows.
fn keep(own: u32, quarter: u32, four: u32, given: Waves) {
  var sum = given;
  for (var i = 0u; i < four; i++) {
    let f = 4u * quarter + i;
    let at = own * 16u + f;
    var wave = vec2f(TURN * sum.frequency.x, sum.phase.x);
    if (sizes.start > 0u) {
      wave += dWaves[at];
    }
    dWaves[at] = wave;
    keepMix((own * 17u + f) * 3u, vec3f(sum.first.x, sum.second.x, sum.third.x));
    sum = Waves(sum.frequency.yzwx, sum.phase.yzwx, sum.first.yzwx, sum.second.yzwx, sum.third.yzwx);
  }
}

fn keepMix(at: u32, given: vec3f) {
  var sum = given;
  if (sizes.start > 0u) {
    sum += vec3f(dMix[at], dMix[at + 1u], dMix[at + 2u]);
  }
  dMix[at] = sum.x;
  dMix[at + 1u] = sum.y;
  dMix[at + 2u] = sum.z;
}
