// statistics: what is known of the elements of x, in parts: records [10, parts] hold for part p of x, which has the elements
// p, p + parts, p + 2 * parts ...: the smallest, the largest, their sum as two numbers, the sum of the large ones scaled down,
// the sums of squares of small ones scaled up, of those between and of large ones scaled down, how many are 0, and how many
// are not finite, which count for nothing else. Squares in three sums neither overflow nor vanish (Blue 1978).
// Sums carry along what each addition rounds off (Knuth, The Art of Computer Programming 2, section 4.2.2). Drivers, Mesa's
// among them, cancel a - b + b as if nothing were rounded: bits that a number from outside might change are safe from that.
// By fours the same elements come together, so that the parts are as many numbers and mean the same.
// Grid: one invocation per part.
alias Value = f32; // or vec4f, where all counts divide by four
alias Bits = u32; // or vec4u

const LARGEST = 0x1.fffffep127;
const LARGE = 0x1p45;
const SMALL = 0x1p-45;
const DOWN = 0x1p-80;
const UP = 0x1p80;

struct Sizes {
  count: u32, // of elements
  parts: u32,
  nothing: u32, // 0, which no compiler knows
}
@group(0) @binding(0) var<storage, read> x: array<Value>;
@group(0) @binding(1) var<storage, read_write> records: array<Value>;
@group(0) @binding(2) var<uniform> sizes: Sizes;

struct Sum {
  high: Value,
  low: Value,
}

fn rounded(v: Value) -> Value {
  return bitcast<Value>(bitcast<Bits>(v) ^ Bits(sizes.nothing));
}

fn plus(sum: Sum, v: Value) -> Sum {
  let high = rounded(sum.high + v);
  let moved = rounded(high - sum.high);
  return Sum(high, sum.low + ((sum.high - (high - moved)) + (v - moved)));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let part = id.x + id.y * groups.x * 64u;
  if (part >= sizes.parts) {
    return;
  }
  var lowest = Value(LARGEST);
  var highest = Value(-LARGEST);
  var sum = Sum();
  var large_sum = Sum();
  var small = Sum();
  var medium = Sum();
  var large = Sum();
  var zeros = Value();
  var others = Value();
  for (var i = part; i < sizes.count; i += sizes.parts) {
    // Told by its bits: a compiler may assume that there is no NaN, and take tiny numbers for 0.
    let bits = bitcast<Bits>(x[i]) & Bits(0x7fffffffu);
    let is_finite = bits < Bits(0x7f800000u);
    let v = select(Value(), x[i], is_finite);
    let is_large = abs(v) > Value(LARGE);
    let is_small = abs(v) < Value(SMALL);
    let scaled = v * select(select(Value(1.0), Value(UP), is_small), Value(DOWN), is_large);
    let square = scaled * scaled;
    lowest = select(lowest, min(lowest, v), is_finite);
    highest = select(highest, max(highest, v), is_finite);
    sum = plus(sum, select(v, Value(), is_large));
    large_sum = plus(large_sum, select(Value(), scaled, is_large));
    small = plus(small, select(Value(), square, is_small));
    medium = plus(medium, select(square, Value(), is_small | is_large));
    large = plus(large, select(Value(), square, is_large));
    zeros += select(Value(), Value(1.0), bits == Bits());
    others += select(Value(1.0), Value(), is_finite);
  }
  // One place stores all ten, in a loop whose end no compiler knows: unrolled, stores would be most of the code.
  for (var word = 0u; word < arrayLength(&records) / sizes.parts; word++) {
    records[word * sizes.parts + part] = lowest;
    lowest = highest;
    highest = sum.high;
    sum.high = sum.low;
    sum.low = large_sum.high + large_sum.low;
    large_sum = small;
    small = medium;
    medium = large;
    large = Sum(zeros, Value());
    zeros = others;
  }
}
