// gelu: x / 2 * (1 + tanh(u)) with u = sqrt(2 / pi) (x + 0.044715 x^3); the same as x s with s = sigmoid(v), v = 2 u, with exp
// taken of -|v| alone so that it cannot overflow. Its derivative: s + x s (1 - s) v'.
fn geluForward(x: Value) -> Value {
  let v = 1.5957691216 * (x + 0.044715 * x * x * x);
  let e = exp(-abs(v));
  let s = select(Value(1.0), e, v < Value()) / (1.0 + e);
  // -infinity * 0 would be NaN. Told by the bits of x, for some drivers have s = 0 where x is NaN.
  return select(x * s, Value(), bitcast<Bits>(x) == Bits(0xff800000u));
}

// s (1 - s) is 0 in float32 long before |x| is 10; there x stands still in the second term, or x^2 would be infinite.
fn geluBackward(x: Value, dOut: Value) -> Value {
  let v = 1.5957691216 * (x + 0.044715 * x * x * x);
  let e = exp(-abs(v));
  let s = select(Value(1.0), e, v < Value()) / (1.0 + e);
  let near = clamp(x, Value(-10.0), Value(10.0));
  let slope = 1.5957691216 * (1.0 + 0.134145 * near * near);
  return dOut * (s + near * slope * e / ((1.0 + e) * (1.0 + e)));
}
