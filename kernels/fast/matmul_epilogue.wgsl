// What a fast matrix product does with its result before it stores it. Override constants, for the software adapter runs
// both sides of every branch that it meets at run time. The texts of activations and of dropout's mask stand before this one, for four numbers.
override BIAS: bool; // add bias[j] to column j
override ACTIVATION: u32; // then 0 nothing, 1 relu, 2 sigmoid, 3 tanh
override DROPOUT: bool; // then drop elements, as dropout.wgsl does
// Then multiply by the derivative of the activation (the same numbers) whose output is y. That of ReLU without DROPOUT also
// by the factor: where y is 0 for all that was dropped, no mask is needed.
override DERIVATIVE: u32;

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

// Elements at place..place+3 of the result; dropped and factor are those of the sizes of the text after this.
fn dropOut(x: vec4f, place: u32, step: u32) -> vec4f {
  let hash = dropoutHash(place + vec4u(0u, 1u, 2u, 3u), sizes.key, step);
  return select(sizes.factor * x, vec4f(), hash < vec4u(sizes.dropped));
}

fn activateBackward(y: vec4f, dOut: vec4f) -> vec4f {
  if (DERIVATIVE == 1u) {
    return reluBackward(y, select(sizes.factor, 1.0, DROPOUT) * dOut);
  }
  if (DERIVATIVE == 2u) {
    return sigmoidBackward(y, dOut);
  }
  if (DERIVATIVE == 3u) {
    return tanhBackward(y, dOut);
  }
  return dOut;
}
