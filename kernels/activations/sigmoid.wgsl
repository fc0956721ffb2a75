// sigmoid: y = 1 / (1 + exp(-x)), with exp taken of -|x| alone so that it cannot overflow. Its derivative, from y: y (1 - y).
fn sigmoidForward(x: Value) -> Value {
  let e = exp(-abs(x));
  return select(Value(1.0), e, x < Value()) / (1.0 + e);
}

fn sigmoidBackward(y: Value, dOut: Value) -> Value {
  return dOut * y * (1.0 - y);
}
