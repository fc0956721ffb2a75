import type { Step } from "../../../tasks/lessons/01_chain.ts";
import { testLesson } from "./lesson_case.ts";

testLesson(1, {
  "a gate that is forgotten": {
    exports: { biasGradient: ({ w2, dy }: Step) => dy * w2 },
    says: "the gate of ReLU is missing",
  },
  "a gate that looks at the gradient": {
    exports: { biasGradient: ({ w2, dy }: Step) => Math.max(0, dy * w2) },
    says: "your gate looks at the sign of a gradient",
  },
  "a gate that looks at dy": {
    exports: { biasGradient: ({ w2, dy }: Step) => dy < 0 ? dy * w2 : 0 },
    says: "your gate looks at the sign of a gradient",
  },
  "a flipped sign": {
    exports: { biasGradient: ({ z1, w2, dy }: Step) => z1 > 0 ? -dy * w2 : 0 },
    says: "the sign is flipped",
  },
  "a gradient of w1 instead": {
    exports: { biasGradient: ({ x, z1, w2, dy }: Step) => z1 > 0 ? dy * w2 * x : 0 },
    says: "cause: you are off by the factor x",
  },
  "a gradient without w2": {
    exports: { biasGradient: ({ z1, dy }: Step) => z1 > 0 ? dy : 0 },
    says: "cause: you are off by the factor w2",
  },
  "a gate the wrong way round": {
    exports: { biasGradient: ({ z1, w2, dy }: Step) => z1 > 0 ? 0 : dy * w2 },
    says: "your gate is the wrong way round",
  },
  "a factor that no sentence knows": {
    exports: { biasGradient: ({ z1, w2, dy }: Step) => Math.max(0, z1) ** 2 * dy * w2 },
    says: /nudging gives 1\.793$/,
  },
  "a forgotten return": {
    exports: { biasGradient: () => {} },
    says: "biasGradient returns undefined, not a number",
  },
});
