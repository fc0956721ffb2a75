// rateOfStep: rate = factor * rates[cursor], before the step counts on. Past the end it is NaN: a wrong place must not pass for a rate.
// Grid: a single invocation.
@group(0) @binding(0) var<storage, read> rates: array<f32>;
@group(0) @binding(1) var<storage, read> cursor: array<u32>;
@group(0) @binding(2) var<storage, read> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> rate: array<f32>;

@compute @workgroup_size(1)
fn main() {
  if (cursor[0] < arrayLength(&rates)) {
    rate[0] = factor[0] * rates[cursor[0]];
  } else {
    var nan = 0x7fc00000u; // a variable, for WGSL refuses a constant that is NaN
    rate[0] = bitcast<f32>(nan);
  }
}
