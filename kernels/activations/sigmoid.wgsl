// sigmoid: y = 1 / (1 + exp(-x)), with exp taken of -|x| alone so that it cannot overflow. Its derivative, from y: y (1 - y).
// NaN stays NaN. It is told by the bits, for some drivers make a number or infinity of exp(NaN).
fn sigmoidForward(x: Value) -> Value {
  let e = exp(-abs(x));
  let y = select(Value(1.0), e, x < Value()) / (1.0 + e);
  return select(y, x, (bitcast<Bits>(x) & Bits(0x7fffffffu)) > Bits(0x7f800000u));
}

fn sigmoidBackward(y: Value, dOut: Value) -> Value {
  return dOut * y * (1.0 - y);
}
