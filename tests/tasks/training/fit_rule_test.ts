/** What validation rows say of the outputs of a trained network. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Folds } from "../../../lib/base/folds.ts";
import { Random } from "../../../lib/base/random.ts";
import { mse, softmaxCrossEntropy } from "../../../lib/core/losses.ts";
import { Scaler } from "../../../lib/data/scaler.ts";
import { numericTable } from "../../../lib/data/table.ts";
import { coverageOf, fitRule } from "../../../tasks/training/fit_rule.ts";
import type { Part } from "../../../tasks/training/training.ts";

/** A part whose outputs are known, in blocks of at most 64 rows. */
function partOf(name: Part["name"], columns: number, members: readonly number[][], y: readonly number[]): Part {
  const mean = y.map((_, at) => members.reduce((sum, own) => sum + own[at], 0) / members.length);
  const block = 64 * columns;
  return {
    name,
    rows: { x: { shape: [y.length / columns, 1] } } as unknown as Part["rows"],
    outputs: async function* () {
      for (let at = 0; at < y.length; at += block) {
        const [output, truth, ...own] = [mean, y, ...members].map((values) => values.slice(at, at + block));
        yield { output: Float32Array.from(output), own: Float32Array.from(own.flat()), y: Float32Array.from(truth) };
        await Promise.resolve();
      }
    },
    evaluate: () => Promise.reject(new Error("nobody measures here")),
  };
}

const random = new Random(8, "weights");
const scaler = new Scaler("standardize", [{ name: "y", min: -20, max: 40, mean: 10, deviation: 10 }]);
const table = numericTable(["x"], ["y"]);
const numbers = { table, targets: ["y"], scalers: { inputs: scaler, targets: scaler }, loss: mse };

/** Two members that are apart by how wrong they are, and a truth that is mostly within -3 to 3. */
function twoMembers(name: Part["name"], rows: number): Part {
  const sizes = Array.from({ length: rows }, () => random.uniform(0.1, 2));
  const center = sizes.map(() => random.normal(0, 1));
  const first = sizes.map((size, i) => center[i] + size);
  const second = sizes.map((size, i) => center[i] - size);
  return partOf(name, 1, [first, second], sizes.map((size, i) => center[i] + random.normal(0, size)));
}

Deno.test("fitRule() clips numbers and scores them by the spread of the members, and intervals hold what they should", async () => {
  const parts = [twoMembers("train", 10), twoMembers("validation", 300)];
  const { rule, told } = await fitRule({ model: numbers, parts, calibrate: true, clipTargets: true });
  assertEquals([rule.temperature, rule.clip, rule.conformal?.length], [undefined, true, 1]);
  assertEquals([rule.conformal![0].rows, rule.conformal![0].scores.length], [300, 300]);
  assert(rule.conformal![0].spread! > 0);
  assertEquals(told, ["predictions are clipped to the range of the training rows: -20 to 40"]);
  const coverage = await coverageOf(twoMembers("test", 2_000), { ...numbers, output: rule });
  const [{ target, coverage: share }] = coverage!.targets;
  assertEquals([coverage!.level, target], [0.9, "y"]);
  assert(Math.abs(share - 0.9) < 0.06, `${share}`);
});

Deno.test("fitRule() fits a temperature of classes where it is asked to", async () => {
  const names = ["a", "b"];
  const classes = new Scaler("none", names.map((name) => ({ name, min: 0, max: 1, mean: 0.5, deviation: 0.5 })));
  const target = { kind: "classes", name: "kind", classes: names } as const;
  const scalers = { inputs: scaler, targets: classes };
  const model = { table: { ...table, target }, targets: names, scalers, loss: softmaxCrossEntropy };
  // Sure of 95%, right in three of four.
  const logits = Array.from({ length: 400 }, (_, i) => i % 2 === 0 ? Math.log(19) : 0);
  const y = logits.map((_, i) => Number((i >> 1) % 4 === 0 ? i % 2 === 1 : i % 2 === 0));
  const parts = [partOf("validation", 2, [logits], y)];
  const fitted = await fitRule({ model, parts, calibrate: true, clipTargets: true });
  assert(Math.abs(fitted.rule.temperature! - Math.log(19) / Math.log(3)) < 0.05, `${fitted.rule.temperature}`);
  assertMatch(fitted.told.join(), /^temperature 2\.\d+: the loss of the validation rows, 0\.\d+ becomes 0\.\d+$/);
  // 1 - p of the true class, with the temperature.
  assertEquals(fitted.rule.conformal![0].scores.at(-1)!.toFixed(2), "0.75");
  // Sure of 52%, and right in three of four: nothing is made surer.
  const shy = partOf("validation", 2, [logits.map((logit) => logit / 40)], y);
  assertEquals((await fitRule({ model, parts: [shy], calibrate: true, clipTargets: true })).told, []);
  // Sure and right in every row: what would be gained on smoothed labels is lost on these.
  const right = logits.map((_, i) => i % 2 === 0 ? 4 : -4);
  const sure = partOf("validation", 2, [right.slice(0, 20)], right.slice(0, 20).map((logit) => Number(logit > 0)));
  assertEquals((await fitRule({ model, parts: [sure], calibrate: true, clipTargets: true })).told, []);
  // With folds single members are measured, which are surer than their mean: it gets no temperature, and scores as they are.
  const folds = new Folds(Uint8Array.from({ length: 200 }, (_, i) => i % 3), 3, 3);
  const held = await fitRule({ model, parts, folds, calibrate: true, clipTargets: true });
  assertEquals(held.rule.temperature, undefined);
  assertEquals(held.told, ["temperature: none with folds; the mean of the members is less sure than each of them"]);
  assertEquals(held.rule.conformal![0].scores.at(-1)!.toFixed(2), "0.95");
  const plain = await fitRule({ model, parts, calibrate: false, clipTargets: true });
  assertEquals([plain.rule.temperature, plain.rule.clip, plain.told], [undefined, undefined, []]);
  assertEquals(plain.rule.conformal![0].scores.at(-1)!.toFixed(2), "0.95");
});

Deno.test("fitRule() scores rows with folds by how far off those were that held them out", async () => {
  // Of all members together the first row is off by 0; out of fold by 3, in units of 10.
  const train = partOf("train", 1, [[3, 1, 0], [-3, 1, 0]], [0, 0, 0]);
  const outOfFold = partOf("validation", 1, [[3, -1, 0.5]], [0, 0, 0]);
  const folds = new Folds(Uint8Array.of(0, 1, 1), 2, 2);
  const asked = { model: numbers, calibrate: true, clipTargets: false };
  const { rule } = await fitRule({ ...asked, parts: [train, outOfFold], folds });
  assertEquals(rule, { conformal: [{ rows: 3, scores: [5, 10, 30] }] });
});

Deno.test("fitRule() does without validation rows, with useless weights, and with very many rows", async () => {
  const asked = { model: numbers, calibrate: true, clipTargets: false };
  assertEquals(await fitRule({ ...asked, parts: [twoMembers("train", 10)] }), { rule: {}, told: [] });
  const useless = partOf("validation", 1, [[0, NaN]], [0, 0]);
  assertEquals(await fitRule({ ...asked, parts: [useless] }), { rule: {}, told: [] });
  const few = await fitRule({ ...asked, parts: [twoMembers("validation", 8)] });
  assertEquals(few.rule.conformal![0].rows, 8);
  assertEquals(await coverageOf(twoMembers("test", 5), { ...numbers, output: few.rule }), undefined);
  // Every third row of 600,000, whichever block it is in.
  const rows = 600_000;
  const y = Array.from({ length: rows }, (_, i) => i % 3 === 0 ? 1 : 7);
  const many = partOf("validation", 1, [new Array(rows).fill(0)], y);
  const { rule } = await fitRule({ ...asked, parts: [many] });
  assertEquals([rule.conformal![0].rows, new Set(rule.conformal![0].scores)], [200_000, new Set([10])]);
});
