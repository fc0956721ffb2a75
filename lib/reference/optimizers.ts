/**
 * The optimizers in float64, each written as its paper has it.
 *
 * @module
 */

/** An optimizer in float64: changes `parameters` in place, one call a step. */
export type ReferenceOptimizer = (parameters: Float64Array, gradients: Float64Array) => void;

/** A learning rate, or one for each step, counted from 0. */
type ReferenceRate = number | ((step: number) => number);

/** Parameter i's update: its weight, its gradient, the states of all, the learning rate, and which step from 1. */
type Update = (w: number, g: number, states: Float64Array[], i: number, rate: number, t: number) => number;

/** Goes through the parameters; each has so many states, 0 at first. */
function optimizer(learningRate: ReferenceRate, stateCount: number, update: Update): ReferenceOptimizer {
  let states: Float64Array[] = [];
  let t = 0;
  return (w, g) => {
    if (t++ === 0) states = Array.from({ length: stateCount }, () => new Float64Array(w.length));
    const rate = typeof learningRate === "number" ? learningRate : learningRate(t - 1);
    w.forEach((_, i) => w[i] = update(w[i], g[i], states, i, rate, t));
  };
}

/** `w -= rate * g` (Robbins and Monro 1951), with `weightDecay * w` in the gradient. */
export function referenceSgd(learningRate: ReferenceRate, { weightDecay = 0 } = {}): ReferenceOptimizer {
  return optimizer(learningRate, 0, (w, g, _states, _i, rate) => w - rate * (g + weightDecay * w));
}

/** `v = momentum * v + g; w -= rate * v` (Polyak 1964, the learning rate outside the velocity). */
export function referenceMomentum(
  learningRate: ReferenceRate,
  { momentum = 0.9, weightDecay = 0 } = {},
): ReferenceOptimizer {
  return optimizer(learningRate, 1, (w, g, [v], i, rate) => {
    v[i] = momentum * v[i] + g + weightDecay * w;
    return w - rate * v[i];
  });
}

/** `v = momentum * v + g; w -= rate * (g + momentum * v)` (Nesterov 1983, in the form of Sutskever et al. 2013). */
export function referenceNesterov(
  learningRate: ReferenceRate,
  { momentum = 0.9, weightDecay = 0 } = {},
): ReferenceOptimizer {
  return optimizer(learningRate, 1, (w, dW, [v], i, rate) => {
    const g = dW + weightDecay * w;
    v[i] = momentum * v[i] + g;
    return w - rate * (g + momentum * v[i]);
  });
}

/** `v = decay * v + (1 - decay) * g^2; w -= rate * g / (sqrt(v) + epsilon)` (Tieleman and Hinton 2012). */
export function referenceRmsProp(
  learningRate: ReferenceRate,
  { decay = 0.99, epsilon = 1e-8, weightDecay = 0 } = {},
): ReferenceOptimizer {
  return optimizer(learningRate, 1, (w, dW, [v], i, rate) => {
    const g = dW + weightDecay * w;
    v[i] = decay * v[i] + (1 - decay) * g ** 2;
    return w - rate * g / (Math.sqrt(v[i]) + epsilon);
  });
}

/** Adam (Kingma and Ba 2015, algorithm 1), with `weightDecay * w` in the gradient. */
export function referenceAdam(
  learningRate: ReferenceRate,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = {},
): ReferenceOptimizer {
  return optimizer(learningRate, 2, (w, dW, [m, v], i, rate, t) => {
    const g = dW + weightDecay * w;
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g ** 2;
    return w - rate * (m[i] / (1 - beta1 ** t)) / (Math.sqrt(v[i] / (1 - beta2 ** t)) + epsilon);
  });
}

/** AdamW (Loshchilov and Hutter 2019, algorithm 2, the decay scaled by the learning rate): the decay passes Adam's means by. */
export function referenceAdamW(
  learningRate: ReferenceRate,
  { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = {},
): ReferenceOptimizer {
  return optimizer(learningRate, 2, (w, g, [m, v], i, rate, t) => {
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g ** 2;
    const step = (m[i] / (1 - beta1 ** t)) / (Math.sqrt(v[i] / (1 - beta2 ** t)) + epsilon);
    return w - rate * (step + weightDecay * w);
  });
}

/** `g *= min(1, maxNorm / norm)`, with the norm over all of `g` (Pascanu, Mikolov and Bengio 2013); returns the norm. */
export function referenceClip(g: Float64Array, maxNorm: number): number {
  const norm = Math.sqrt(g.reduce((sum, v) => sum + v * v, 0));
  g.forEach((_, i) => g[i] *= Math.min(1, maxNorm / norm));
  return norm;
}
