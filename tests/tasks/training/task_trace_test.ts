/** trace.jsonl, layers.jsonl and what DEBUG_TENSORS prints, as users of train see them. */

import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import type { MeasuredTensor } from "../../../lib/training/look.ts";
import { isLookedAt } from "../../../tasks/training/layers_log.ts";
import type { LayerRecord } from "../../../tasks/show/view.ts";
import { formatTrace, type TraceLine, Tracer } from "../../../tasks/training/trace.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

/** 25 rows: steps of 10, 10 and 5, through ReLU and dropout. */
const SHORT = "--num-dataset=25 --split=1,0,0 --hidden-size=6,5 --num-epochs=3 --optimizer=adam".split(" ")
  .concat("--dropout=0.25", "--clip-norm=0.5");

async function weightsOf(place: Workplace, run: string): Promise<[string, ArrayLike<number>][]> {
  const { tensors } = await readSafetensors(place.at(`data/runs/${run}/model.safetensors`));
  return [...tensors].map(([name, { data }]) => [name, data]);
}

permitted("--trace notes each tensor of every Nth step, and changes no bit of training", async (t) => {
  await using place = await Workplace.inSeries("train");
  const train = (name: string, ...flags: string[]) => place.succeed("train", [...SHORT, "--run-name", name, ...flags]);
  await train("plain");
  await train("each", "--trace");
  await train("third", "--trace", "4");
  const { stdout } = await train("debug", "--debug-tensors");
  const lines = await place.readLines<TraceLine>("data/runs/each/trace.jsonl");

  await t.step("epoch, step, and in the order of computation name, shape and measures", () => {
    assertEquals(lines.map(({ epoch }) => epoch), [1, 1, 1, 2, 2, 2, 3, 3, 3]);
    assertEquals(lines.map(({ step }) => step), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    for (const { step, tensors } of lines) {
      const rows = step % 3 === 0 ? 5 : 10;
      const hidden = [1, 2].flatMap((layer) => ["z", "a", "d"].map((kind) => `${kind}${layer} ${rows},${7 - layer}`));
      const output = [`z3 ${rows},1`, "loss ", `grad_logits ${rows},1`];
      const last = ["grad_weight_3 5,1", "grad_bias_3 1"];
      const others = ["grad_weight_2 6,5", "grad_bias_2 5", "grad_weight_1 1,6", "grad_bias_1 6"];
      assertEquals(tensors.map(({ name, shape }) => `${name} ${shape}`), [...hidden, ...output, ...last, ...others]);
      for (const tensor of tensors) {
        assertEquals(Object.keys(tensor), ["name", "shape", "min", "max", "mean", "norm", "zeros"]);
        const { min, max, mean, norm, zeros } = tensor as Record<string, unknown> as Record<string, number>;
        assert(min <= mean + 1e-6 && mean <= max + 1e-6 && norm >= Math.max(-min, max) * 0.999999, tensor.name);
        assert(zeros >= 0 && zeros <= 1, tensor.name);
      }
      const [z1, a1, d1] = tensors.map(({ min, zeros }) => ({ min: min!, zeros: zeros! }));
      assert(z1.min < 0 && a1.min === 0 && a1.zeros > 0 && d1.zeros > a1.zeros, "ReLU and dropout leave zeros");
    }
  });
  await t.step("--trace 4: steps 4 and 8 alone, as they were", async () => {
    assertEquals(await place.readLines("data/runs/third/trace.jsonl"), lines.filter(({ step }) => step % 4 === 0));
  });
  await t.step("training is the same to the last bit, with DEBUG_TENSORS too", async () => {
    const files = Object.keys(await place.digests("data/runs/plain"));
    assertEquals(files.includes("trace.jsonl"), false, "without --trace there is none");
    const plain = await weightsOf(place, "plain");
    const digests = await place.digests("data/runs/plain");
    for (const name of ["each", "third", "debug"]) {
      assertEquals(await weightsOf(place, name), plain, name);
      const own = await place.digests(`data/runs/${name}`);
      for (const log of ["metrics.jsonl", "layers.jsonl"]) assertEquals(own[log], digests[log], `${log} of ${name}`);
    }
  });
  await t.step("DEBUG_TENSORS prints the same, each step before the end of its epoch", () => {
    const printed = stdout.slice(stdout.indexOf("step 1\n")).replace(/^first steps .*\n/m, "").split("\n");
    const expected = lines.flatMap((line) => {
      const end = line.step % 3 === 0 ? ["epoch"] : [];
      return [...formatTrace(line).split("\n"), ...end];
    });
    const found = printed.slice(0, expected.length).map((line) => line.replace(/^epoch .*/, "epoch"));
    assertEquals(found, expected);
    assertMatch(expected[1], /^z1 +\[10, 6\] +min -\S+ +max \S+$/);
  });
});

permitted("--trace of a run that ends in numbers that are none has them counted, up to its last step", async () => {
  await using place = await Workplace.inSeries("train");
  const flags = ["--num-dataset=60", "--hidden-size=4", "--learning-rate=1e15", "--trace", "--num-epochs=3"];
  const { code } = await place.run("train", flags);
  assertEquals(code, 1);
  const lines = await place.readLines<TraceLine>("data/runs/default_run/trace.jsonl");
  const bad = lines.flatMap(({ tensors }) => tensors).filter(({ notFinite }) => notFinite !== undefined);
  assert(bad.length > 0 && bad.every(({ notFinite }) => notFinite! >= 1));
  assert(bad.some(({ min, max, mean }) => min === null && max === null && mean === null), "where none is left");
});

permitted("layers.jsonl: norms of weights and gradients and dead units, at ever fewer epochs", async () => {
  await using place = await Workplace.inSeries("train");
  await place.succeed("train", ["--num-dataset", "30", "--num-epochs", "70", "--hidden-size", "6,5"]);
  const lines = await place.readLines<LayerRecord>("data/runs/default_run/layers.jsonl");
  const first = Array.from({ length: 16 }, (_, i) => i + 1);
  assertEquals(lines.map(({ epoch }) => epoch), [...first, 20, 24, 28, 32, 40, 48, 56, 64]);
  const names = ["0.weight", "0.bias", "2.weight", "2.bias", "4.weight", "4.bias"];
  for (const { epoch, step, weights, gradients, dead, ...rest } of lines) {
    assertEquals([step, Object.keys(weights), Object.keys(gradients), rest], [3 * epoch, names, names, {}]);
    assertEquals(Object.keys(dead), ["a1", "a2"]);
    for (const value of Object.values(weights)) assert(value! > 0 && value! < 10);
    for (const value of Object.values(gradients)) assert(value! >= 0 && value! < 10);
    for (const [name, share] of Object.entries(dead)) {
      assert(Number.isInteger(Math.round(share! * (name === "a1" ? 6 : 5) * 1e6) / 1e6), `${share} of the units`);
    }
  }
});

Deno.test("isLookedAt() keeps a run of any length to some hundred looks, which hang on the epoch alone", () => {
  const looks = (epochs: number) => Array.from({ length: epochs }, (_, i) => i + 1).filter(isLookedAt).length;
  assertEquals([10, 100, 1_000, 3_000, 1_000_000].map(looks), [10, 26, 39, 45, 79]);
  for (let epoch = 1; epoch <= 2 ** 20; epoch *= 2) assert(isLookedAt(epoch), `${epoch}`);
});

/** A trainer whose looks come in an order of their own. */
function looksOf(delays: readonly number[], failing = -1) {
  const asked: number[] = [];
  let step = 0;
  const lookAhead = async (): Promise<MeasuredTensor[]> => {
    const at = asked.push(step) - 1;
    await new Promise((resolve) => setTimeout(resolve, delays[at]));
    if (at === failing) throw new Error("the device is gone");
    return [];
  };
  const run = (tracer: Tracer, steps: number) => {
    while (step < steps) {
      const allowed = tracer.between(step);
      if (allowed === 0) return;
      step += Math.min(allowed, steps - step);
    }
  };
  return { lookAhead, stepsPerEpoch: 4, asked, run };
}

Deno.test("Tracer tells steps in order, however late their looks are there, and waits for none", async () => {
  const trainer = looksOf([30, 0, 10]);
  const told: number[][] = [];
  const tracer = new Tracer(trainer, { every: 3, tell: ({ epoch, step }) => void told.push([epoch, step]) });
  trainer.run(tracer, 10);
  assertEquals([trainer.asked, told], [[2, 5, 8], []]);
  await tracer.settle();
  assertEquals(told, [[1, 3], [2, 6], [3, 9]]);
  assertEquals(new Tracer(trainer, { every: 0, tell: () => {} }).between(7), Infinity);
});

Deno.test("Tracer stops the run where a look fails, or what it tells of", async () => {
  const trainer = looksOf([0, 0, 0], 1);
  const told: number[] = [];
  const tracer = new Tracer(trainer, { every: 1, tell: ({ step }) => void told.push(step) });
  trainer.run(tracer, 3);
  await assertRejects(() => tracer.settle(), Error, "the device is gone");
  assertEquals([told, tracer.between(3)], [[1], 0]);
  const full = new Tracer(looksOf([0]), { every: 1, tell: () => Promise.reject(new Error("No space left")) });
  assertEquals(full.between(0), 1);
  await assertRejects(() => full.settle(), Error, "No space left");
});
