// What a fast matrix product does with its result before it stores it. Override constants, for the software adapter runs
// both sides of every branch that it meets at run time. The activations' texts stand before this one, for four numbers.
override BIAS: bool; // add bias[j] to column j
override ACTIVATION: u32; // then 0 nothing, 1 relu, 2 sigmoid, 3 tanh
override DERIVATIVE: u32; // then multiply by the derivative of the activation (the same numbers) whose output is y

fn activate(x: vec4f) -> vec4f {
  if (ACTIVATION == 1u) {
    return reluForward(x);
  }
  if (ACTIVATION == 2u) {
    return sigmoidForward(x);
  }
  if (ACTIVATION == 3u) {
    return tanhForward(x);
  }
  return x;
}

fn activateBackward(y: vec4f, dOut: vec4f) -> vec4f {
  if (DERIVATIVE == 1u) {
    return reluBackward(y, dOut);
  }
  if (DERIVATIVE == 2u) {
    return sigmoidBackward(y, dOut);
  }
  if (DERIVATIVE == 3u) {
    return tanhBackward(y, dOut);
  }
  return dOut;
}
