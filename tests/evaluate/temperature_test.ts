import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../lib/base/random.ts";
import { bceWithLogits, mse, softmaxCrossEntropy, weightedSoftmaxCrossEntropy } from "../../lib/core/losses.ts";
import { fitTemperature } from "../../lib/evaluate/temperature.ts";

/** Logits of three classes, and classes that are drawn by them divided by a temperature. */
function drawn(rows: number, temperature: number): { logits: Float64Array; y: Float64Array } {
  const random = new Random(3, "weights");
  const logits = Float64Array.from({ length: 3 * rows }, () => random.normal(0, 2));
  const y = new Float64Array(3 * rows);
  for (let at = 0; at < logits.length; at += 3) {
    const shares = [...logits.subarray(at, at + 3)].map((logit) => Math.exp(logit / temperature));
    let left = random.uniform(0, shares[0] + shares[1] + shares[2]);
    const place = shares.findIndex((share) => (left -= share) <= 0);
    y[at + Math.max(place, 0)] = 1;
  }
  return { logits, y };
}

Deno.test("fitTemperature() finds the temperature that classes were drawn with", () => {
  for (const temperature of [0.5, 2, 6]) {
    const { logits, y } = drawn(2_000, temperature);
    const fitted = fitTemperature(logits, y, 3, softmaxCrossEntropy);
    assert(Math.abs(Math.log(fitted!.temperature / temperature)) < 0.08, `${fitted?.temperature} for ${temperature}`);
    assert(fitted!.after < fitted!.before, JSON.stringify(fitted));
    // Weights of 1 change nothing.
    assertEquals(fitTemperature(logits, y, 3, weightedSoftmaxCrossEntropy([1, 1, 1])), fitted);
  }
});

Deno.test("fitTemperature() gives none where there is nothing to gain, and no certainty to a handful of rows", () => {
  const { logits, y } = drawn(2_000, 1);
  const { temperature } = fitTemperature(logits, y, 3, softmaxCrossEntropy) ?? { temperature: 1 };
  assert(Math.abs(temperature - 1) < 0.08, `${temperature}`);
  assertEquals(fitTemperature([], [], 1, bceWithLogits), undefined);
  assertEquals(fitTemperature([0, 0], [0, 1], 1, bceWithLogits), undefined);
  // All right and sure of 27 of 28: as sure as ten rows and one more allow, which is 10.5 of 11.
  const right = Float64Array.from({ length: 10 }, (_, i) => i % 2 === 0 ? Math.log(27) : -Math.log(27));
  const fitted = fitTemperature(right, right.map((logit) => Number(logit > 0)), 1, bceWithLogits)!;
  assert(Math.abs(fitted.temperature - Math.log(27) / Math.log(21)) < 1e-3, `${fitted.temperature}`);
  // Wrong throughout: as flat as is allowed.
  assertEquals(fitTemperature([50, -50], [0, 1], 1, bceWithLogits)?.temperature, 20);
});

Deno.test("fitTemperature() refuses what has no probabilities, and lengths that differ", () => {
  assertThrows(() => fitTemperature([1], [1], 1, mse), TypeError, "Cannot fit a temperature under the loss mse");
  assertThrows(() => fitTemperature([1, 2], [1], 1, bceWithLogits), TypeError, "2 logits for 1 targets in rows of 1");
});
