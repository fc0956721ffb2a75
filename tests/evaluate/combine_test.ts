import { assertEquals, assertThrows } from "@std/assert";
import { combineMembers } from "../../lib/evaluate/combine.ts";
import { assertClose } from "../support/assert_close.ts";

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const logit = (p: number) => Math.log(p / (1 - p));

Deno.test("combineMembers() averages numbers and probabilities", () => {
  // Two members, three rows of two columns.
  const outputs = [1, 2, 3, 4, 5, 6, 3, 0, -3, 4, 5, 10];
  assertEquals([...combineMembers(outputs, 2, 2, "mse")], [2, 1, 0, 4, 5, 8]);
  const bce = outputs.slice(0, 6).map((z, i) => logit((sigmoid(z) + sigmoid(outputs[6 + i])) / 2));
  assertClose(combineMembers(outputs, 2, 2, "bce"), bce, { rtol: 1e-12 });
  const softmax = (row: number[]) => row.map((z) => Math.exp(z) / row.reduce((sum, z) => sum + Math.exp(z), 0));
  const rows = [0, 2, 4].flatMap((at) => {
    const [a, b] = [at, at + 6].map((at) => softmax(outputs.slice(at, at + 2)));
    return a.map((p, i) => Math.log((p + b[i]) / 2));
  });
  assertClose(combineMembers(outputs, 2, 2, "softmax"), rows, { rtol: 1e-12 });
});

Deno.test("combineMembers() is exact where probabilities are 0 or 1 in float64", () => {
  assertEquals([...combineMembers([900, 900], 2, 1, "bce")], [900]);
  // The mean of 1 - p is exp(-900) / 2 and more.
  assertClose(combineMembers([900, 1000], 2, 1, "bce"), [900 + Math.log(2)], { rtol: 1e-12 });
  assertClose(combineMembers([-900, 900], 2, 1, "bce"), [0], { atol: 1e-12 });
  assertClose(combineMembers([0, 2000, 0, 1000], 2, 2, "softmax"), [-1000 - Math.log(2), 0], { rtol: 1e-12 });
  for (const kind of ["mse", "bce", "softmax"]) {
    assertEquals([...combineMembers([NaN, 0, 1, 2], 2, 2, kind)].map(Number.isNaN)[0], true);
  }
});

Deno.test("combineMembers() leaves one member as it is, and refuses what it cannot cut", () => {
  assertEquals([...combineMembers([1, 2, 3], 1, 3, "softmax")], [1, 2, 3]);
  assertThrows(
    () => combineMembers([1, 2, 3], 2, 1, "mse"),
    TypeError,
    "Cannot cut 3 values into rows of 1 of 2 members",
  );
  assertThrows(() => combineMembers([1, 2, 3, 4], 2, 4, "mse"), TypeError);
});
