// relu: x where x > 0, else 0; NaN stays NaN. Its derivative is 1 where x > 0 (or NaN), else 0, so too at exactly 0.
// max(x, 0) may turn NaN into 0, so the sign is read from the bits: -0 down to -infinity are 0x80000000..0xff800000.
// The backward may take the output instead of x: both are over 0 in the same places.
fn reluForward(x: Value) -> Value {
  let bits = bitcast<Bits>(x);
  return select(x, Value(), (bits >= Bits(0x80000000u)) & (bits <= Bits(0xff800000u)));
}

fn reluBackward(x: Value, dOut: Value) -> Value {
  let bits = bitcast<Bits>(x);
  let negative = (bits >= Bits(0x80000000u)) & (bits <= Bits(0xff800000u));
  return select(dOut, Value(), (bits == Bits()) | negative);
}
