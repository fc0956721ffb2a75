import type { Step } from "../../../tasks/lessons/01_chain.ts";
import { testLesson } from "./lesson_case.ts";

testLesson(1, {
  "a gate that is forgotten": {
    exports: { biasGradient: ({ w2, dY }: Step) => dY * w2 },
    says: "where z1 is -1.00: db1  WRONG",
  },
  "a flipped sign": {
    exports: { biasGradient: ({ z1, w2, dY }: Step) => z1 > 0 ? -dY * w2 : 0 },
    says: "the sign is flipped",
  },
  "a gradient of w1 instead": {
    exports: { biasGradient: ({ x, z1, w2, dY }: Step) => z1 > 0 ? dY * w2 * x : 0 },
    says: "furthest off",
  },
});
