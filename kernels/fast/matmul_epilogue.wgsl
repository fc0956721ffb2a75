// What a fast matrix product does with its result before it stores it. Override constants, for the software adapter runs
// both sides of every branch that it meets at run time. The formulas are those of add_bias, relu, sigmoid, tanh and their
// backward kernels.
override BIAS: bool; // add bias[j] to column j
override ACTIVATION: u32; // then 0 nothing, 1 relu, 2 sigmoid, 3 tanh
override DERIVATIVE: u32; // then multiply by the derivative of the activation (the same numbers) whose output is y

// Four numbers told by their bits: select() on a comparison may be compiled so that NaN passes for a number.
fn isNegative(x: vec4f) -> vec4<bool> {
  let bits = bitcast<vec4u>(x);
  return (bits >= vec4u(0x80000000u)) & (bits <= vec4u(0xff800000u));
}

fn activate(x: vec4f) -> vec4f {
  if (ACTIVATION == 1u) {
    return select(x, vec4f(), isNegative(x));
  }
  if (ACTIVATION == 2u) {
    let e = exp(-abs(x));
    return select(vec4f(1.0), e, x < vec4f()) / (1.0 + e);
  }
  if (ACTIVATION == 3u) {
    let e = exp(-2.0 * abs(x));
    let far = (1.0 - e) / (1.0 + e);
    let q = x * x;
    let near = x * (1.0 + q * (-1.0 / 3.0 + q * (2.0 / 15.0 + q * (-17.0 / 315.0 + q * (62.0 / 2835.0)))));
    return select(select(far, -far, x < vec4f()), near, abs(x) < vec4f(0.3));
  }
  return x;
}

fn activateBackward(y: vec4f, dOut: vec4f) -> vec4f {
  if (DERIVATIVE == 1u) {
    return select(dOut, vec4f(), isNegative(y) | (bitcast<vec4u>(y) == vec4u()));
  }
  if (DERIVATIVE == 2u) {
    return dOut * y * (1.0 - y);
  }
  if (DERIVATIVE == 3u) {
    return dOut * ((1.0 - y) * (1.0 + y));
  }
  return dOut;
}
