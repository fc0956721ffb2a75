// What the kernels of waves share: the parameters of a number's 16 waves, four at a time, and the cosine.
// Where rows go by, the four fours are written out: indexed in a loop, they would live in memory, and the software adapter takes
// seven times as long. Where they are loaded or stored, they move through one place in a loop instead. Its bound is fourOf():
// a compiler unrolls a loop whose bound it knows, and the code of a load is so long that it then took a second over all of them.
// waves [members * numbers * 16] pairs of frequency and phase; mix [members * numbers * 17, 3], its last row the bias.
const TURN = 6.283185307179586;

// Four waves of a number, or sums for them.
struct Waves {
  frequency: vec4f,
  phase: vec4f, // in turns
  first: vec4f, // the mixes
  second: vec4f,
  third: vec4f,
}

// A quarter of a number's waves: 4, which no compiler knows. As one of the sizes the software adapter's would know it.
fn fourOf(numbers: u32) -> u32 {
  return arrayLength(&waves) / (4u * numbers);
}

fn wavesOf(own: u32, quarter: u32, four: u32) -> Waves {
  var result: Waves;
  for (var i = 0u; i < four; i++) {
    let f = 4u * quarter + i;
    let wave = waves[own * 16u + f];
    let at = (own * 17u + f) * 3u;
    result.frequency = vec4f(result.frequency.yzw, wave.x);
    result.phase = vec4f(result.phase.yzw, wave.y / TURN);
    result.first = vec4f(result.first.yzw, mix[at]);
    result.second = vec4f(result.second.yzw, mix[at + 1u]);
    result.third = vec4f(result.third.yzw, mix[at + 2u]);
  }
  return result;
}

// cos(2 pi t), within 2e-7 on every device: WGSL asks only 5e-4 of cos, and nothing beyond half a turn. By whole turns t comes
// to -1/2..1/2, and cos(2 pi t) = sin(2 pi q) with q = 1/4 - |t| in -1/4..1/4. There sin(2 pi q) / q is a polynomial in q^2,
// which meets it at the five Chebyshev nodes.
fn cosine(t: vec4f) -> vec4f {
  let q = 0.25 - abs(t - floor(t + 0.5));
  let s = q * q;
  let high = (39.759827 * s - 76.581173) * s + 81.602476;
  return q * ((high * s - 41.341681) * s + 6.2831853);
}

// -sin(2 pi t), the slope of the cosine: the cosine a quarter of a turn later.
fn falling(t: vec4f) -> vec4f {
  return cosine(t + 0.25);
}
