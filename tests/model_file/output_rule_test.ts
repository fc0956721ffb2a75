import { assertEquals, assertThrows } from "@std/assert";
import { Scaler } from "../../lib/data/scaler.ts";
import type { Target } from "../../lib/data/table.ts";
import { applyRule, parseOutputRule } from "../../lib/model_file/output_rule.ts";

const two: Target = { kind: "classes", name: "answer", classes: ["no", "yes"] };
const three: Target = { kind: "classes", name: "answer", classes: ["no", "yes", "perhaps"] };
const numbers: Target = { kind: "numeric", names: ["y", "z"] };
const scores = { rows: 3, scores: [0, 0.5, 0.5] };

Deno.test("parseOutputRule() gives back every rule that suits its target", () => {
  for (
    const [rule, target, loss] of [
      [{}, numbers, "mse"],
      [{ temperature: 1.5, threshold: 0.25, conformal: [scores] }, two, "bce"],
      [{ temperature: 0.05, conformal: [scores] }, three, "softmax"],
      [{ clip: true, conformal: [scores, { ...scores, spread: 2 }] }, numbers, "huber"],
      [{ temperature: 20 }, numbers, "bce"],
    ] as const
  ) {
    assertEquals(parseOutputRule(JSON.parse(JSON.stringify(rule)), { target, loss }), rule);
  }
});

Deno.test("parseOutputRule() refuses what is no rule, or does not suit the target", () => {
  const many = Array.from({ length: 1_001 }, () => 1);
  const cases: [rule: unknown, target: Target, loss: string, says: string][] = [
    [null, two, "bce", "its output is null, need an object"],
    [[], two, "bce", "its output is [], need an object"],
    [{ temprature: 1 }, two, "bce", 'its output has the unknown field "temprature"'],
    [{ temperature: 2 }, numbers, "mse", "its temperature is 2 under the loss mse, need 0.05 to 20"],
    [{ temperature: 0 }, two, "bce", "its temperature is 0"],
    [{ temperature: "2" }, two, "bce", 'its temperature is "2"'],
    [{ clip: true }, two, "bce", "its clip is true under the loss bce, need true for numbers"],
    [{ clip: 1 }, numbers, "mse", "its clip is 1"],
    [{ threshold: 0.5 }, three, "softmax", "its threshold is 0.5 for 3 classes"],
    [{ threshold: 1.5 }, two, "bce", "its threshold is 1.5"],
    [{ conformal: [scores] }, numbers, "mse", "its conformal scores are not those of 2 targets"],
    [{ conformal: [] }, numbers, "bce", "its conformal scores are not those of 0 targets"],
    [{ conformal: [{ ...scores, rows: 4 }] }, two, "bce", 'its conformal scores are {"rows":4'],
    [{ conformal: [{ ...scores, scores: [0, 2, 1] }] }, two, "bce", "need a number of rows"],
    [{ conformal: [{ ...scores, scores: [-1, 2, 3] }] }, two, "bce", "need a number of rows"],
    [{ conformal: [{ ...scores, scores: [0, 1, null] }] }, two, "bce", "need a number of rows"],
    [{ conformal: [{ ...scores, spread: 0 }] }, two, "bce", "a spread over 0"],
    [{ conformal: [{ rows: 2_000, scores: many }] }, two, "bce", "1000 at most"],
    [{ conformal: [null] }, two, "bce", "its conformal scores are null"],
  ];
  for (const [rule, target, loss, says] of cases) {
    assertThrows(() => parseOutputRule(rule, { target, loss }), SyntaxError, says);
  }
});

Deno.test("applyRule() divides logits, and clips numbers to the range of the training rows", () => {
  const column = (name: string, min: number, max: number) => ({ name, min, max, mean: 0, deviation: 2 });
  const scaler = new Scaler("standardize", [column("y", -4, 4), column("z", 0, 10)]);
  assertEquals([...applyRule([1, -3], { temperature: 2 }, scaler)], [0.5, -1.5]);
  assertEquals([...applyRule([3, 3, -3, -3, 1, 9], { clip: true }, scaler)], [2, 3, -2, 0, 1, 5]);
  assertEquals([...applyRule([NaN, Infinity], { clip: true }, scaler)], [NaN, Infinity]);
  const same = [7, 8];
  assertEquals(applyRule(same, { threshold: 0.1 }, scaler) === same, true);
});
