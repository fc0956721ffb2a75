// tanh: y = (1 - e) / (1 + e) with the sign of x, e = exp(-2 |x|), which cannot overflow as WGSL's tanh does on some drivers.
// Near 0, where 1 - e would lose digits, its Taylor series: the first term left out is under 6e-8 of the sum.
// Its derivative, from y: 1 - y^2.
fn tanhForward(x: Value) -> Value {
  let e = exp(-2.0 * abs(x));
  let far = (1.0 - e) / (1.0 + e);
  let q = x * x;
  let near = x * (1.0 + q * (-1.0 / 3.0 + q * (2.0 / 15.0 + q * (-17.0 / 315.0 + q * (62.0 / 2835.0)))));
  return select(select(far, -far, x < Value()), near, abs(x) < Value(0.3));
}

fn tanhBackward(y: Value, dOut: Value) -> Value {
  return dOut * ((1.0 - y) * (1.0 + y));
}
