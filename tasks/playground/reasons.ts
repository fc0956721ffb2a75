/** Why each operation of a step has the backward, or the update, that it has, and where it is written: as lib/core/README.md says. */

interface Reason {
  /** Its backward, gradient or update in symbols. */
  readonly rule: string;
  readonly why: string;
  /** The file of the library, from the project's folder. */
  readonly file: string;
}

const MATMUL = "lib/core/matmul.ts";
const ACTIVATIONS = "lib/core/activations.ts";
const LOSSES = "lib/core/losses.ts";
const OPTIMIZERS = "lib/core/optimizers.ts";

/** By name in the library. A test holds rules and sentences to lib/core/README.md. */
export const REASONS = {
  matmul: {
    rule: "dA = dOut Bᵀ, dB = Aᵀ dOut",
    why:
      "An element moves every result that it is multiplied into, each by its partner: the product adds up these shares.",
    file: MATMUL,
  },
  addBias: {
    rule: "dX = dOut, dBias = sum of dOut over rows",
    why: "One bias serves every row, so its shares add up.",
    file: MATMUL,
  },
  relu: {
    rule: "dX = dOut · [x > 0]",
    why: "Below 0 the output stands still, so nothing flows back.",
    file: ACTIVATIONS,
  },
  leakyRelu: {
    rule: "dX = dOut · (x > 0 ? 1 : slope)",
    why: "Below 0 a little still flows back, so a unit can recover.",
    file: ACTIVATIONS,
  },
  sigmoid: {
    rule: "dX = dOut · s (1 − s)",
    why: "The slope follows from the output, so that is kept; far from x = 0 it is almost 0.",
    file: ACTIVATIONS,
  },
  tanh: {
    rule: "dX = dOut · (1 − y²)",
    why: "The slope follows from the output, so that is kept; at x = 0 it is 1, far off almost 0.",
    file: ACTIVATIONS,
  },
  gelu: {
    rule: "dX = dOut · ((1 + t)/2 + x/2 (1 − t²) u′)",
    why: "Product rule: x is a factor, and it also moves the gate (1 + t)/2.",
    file: ACTIVATIONS,
  },
  mse: {
    rule: "dP = 2 (p − t) / n",
    why: "The further off a prediction is, the harder it is pulled back.",
    file: LOSSES,
  },
  mae: {
    rule: "dP = sign(p − t) / n, 0 where equal",
    why: "Large and small errors pull equally hard.",
    file: LOSSES,
  },
  huber: {
    rule: "dP = e cut at ± delta, / n",
    why: "Small errors pull as in mse, large ones as in mae.",
    file: LOSSES,
  },
  bceWithLogits: {
    rule: "dZ = (s − t) / n",
    why: "The sigmoid's slope s (1 − s) cancels, so a sure but wrong answer is pulled back hardest.",
    file: LOSSES,
  },
  softmaxCrossEntropy: {
    rule: "dZ = (s · sum of t − t) / rows",
    why: "The logarithm undoes the exponential: each share is pulled to its target.",
    file: LOSSES,
  },
  Sgd: {
    rule: "w −= r g",
    why: "The gradient points uphill, so the step goes against it.",
    file: OPTIMIZERS,
  },
  Momentum: {
    rule: "v = m v + g; w −= r v",
    why: "Steps that agree add up, steps that disagree cancel.",
    file: OPTIMIZERS,
  },
  Nesterov: {
    rule: "v = m v + g; w −= r (g + m v)",
    why: "Takes the gradient where momentum is about to lead.",
    file: OPTIMIZERS,
  },
  RmsProp: {
    rule: "v = d v + (1 − d) g²; w −= r g / (√v + ε)",
    why: "Steps of like size, whatever the gradient's size.",
    file: OPTIMIZERS,
  },
  Adam: {
    rule: "w −= r m̂ / (√v̂ + ε), means m of g and v of g²",
    why: "Momentum's direction and RmsProp's size at once; m̂ and v̂ make up for the start at 0.",
    file: OPTIMIZERS,
  },
  AdamW: {
    rule: "as Adam, and w −= r weightDecay w",
    why: "The decay does not pass through the means.",
    file: OPTIMIZERS,
  },
} as const satisfies Readonly<Record<string, Reason>>;

/** What the library has a reason for. */
export type Written = keyof typeof REASONS;
