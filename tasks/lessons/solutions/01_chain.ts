import type { Step } from "../01_chain.ts";

// z1 = x * w1 + b1 reacts to b1 by 1. So b1 gets just what z1 gets: what comes from y by way of w2, if ReLU lets it through.
export function biasGradient({ z1, w2, dy }: Step): number {
  return z1 > 0 ? dy * w2 : 0;
}
