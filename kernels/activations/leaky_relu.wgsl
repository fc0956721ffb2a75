// leakyRelu: x where x > 0, else slope * x; NaN stays NaN. Its derivative is 1 where x > 0 (or NaN), else the slope, so too at
// exactly 0. The sign is read from the bits, as in relu.wgsl; a NaN stays one whichever factor it meets.
fn leakyReluForward(x: Value) -> Value {
  return x * select(Value(1.0), Value(sizes.slope), bitcast<Bits>(x) >= Bits(0x80000000u));
}

fn leakyReluBackward(x: Value, dOut: Value) -> Value {
  let bits = bitcast<Bits>(x);
  let negative = (bits >= Bits(0x80000000u)) & (bits <= Bits(0xff800000u));
  return dOut * select(Value(1.0), Value(sizes.slope), (bits == Bits()) | negative);
}
