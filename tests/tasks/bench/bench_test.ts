import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { GOALS, isRight, judge, lookingCost, type Peers, ratio } from "../../../tasks/bench/goals.ts";
import { computeGolden, GOLDEN, isGolden, TOLERANCE } from "../../../tasks/bench/golden.ts";
import { checkProduct, factors, formatSize, parseSize, type Size } from "../../../tasks/bench/products.ts";
import { faultsOf, formatResults } from "../../../tasks/bench/report.ts";
import {
  type Implementation,
  median,
  NATIVES,
  type Results,
  type TrainingResult,
} from "../../../tasks/bench/results.ts";
import { timeRounds } from "../../../tasks/bench/worker.ts";
import { batchesOf, CHECKED_STEPS, initialParameters, lossAt } from "../../../tasks/bench/workloads.ts";
import { type WorkloadName, workloadOf, WORKLOADS } from "../../../tasks/bench/workloads.ts";
import { assertClose } from "../../support/assert_close.ts";

const BACKHAND: Implementation = { name: "backhand", backend: "webgpu" };
const WEBGPU: Implementation = { name: "tfjs", backend: "webgpu" };
const WASM: Implementation = { name: "jaxjs", backend: "wasm" };

/** A right result. */
function trained(who: Implementation, workload: WorkloadName, stepsPerSecond: number): TrainingResult {
  const loss = GOLDEN[workload][CHECKED_STEPS];
  return {
    ...who,
    workload,
    stepsPerSecond,
    rounds: [stepsPerSecond],
    checkedSteps: CHECKED_STEPS,
    loss,
    peakBytes: NATIVES.some(({ name }) => name === who.name) ? undefined : 2e8,
    costs: who.name === "backhand"
      ? { dispatches: 2, allocations: 0, bindGroups: 0, waits: 0, reads: 0.01 }
      : undefined,
  };
}

/** A whole run in which every goal is met, or what becomes of it by a change. */
function madeUp(change: (results: Results) => unknown = () => {}): Results {
  const size: Size = [1024, 1024, 1024];
  const steps = { seed: 60_000, hand: 4_000, wide: 500, deep: 90 };
  const results: Results = {
    date: "2026-01-01T00:00:00.000Z",
    quick: false,
    versions: { backhand: "1.0.0", deno: "2.0.0" },
    cores: 2,
    limits: { device: "a device", software: true, fmaGflops: 123.4, copyGigabytes: 12.34 },
    training: [
      ...WORKLOADS.flatMap(({ name }) => [
        trained(BACKHAND, name, steps[name]),
        trained(WEBGPU, name, steps[name] / 60),
        trained(WASM, name, steps[name] / 2),
      ]),
      ...WORKLOADS.slice(0, 3).flatMap(({ name }) => NATIVES.map((native) => trained(native, name, steps[name]))),
    ],
    products: [{ ...BACKHAND, size, gflops: 70, error: 0.01 }, { ...WEBGPU, size, gflops: 14, error: 0.01 }],
    firstStep: [0.9, 1.1, 1.0],
    looking: [
      { view: "quiet", rounds: [40_000, 50_000, 20_000] },
      { view: "terminal", rounds: [39_600, 50_500, 19_600] },
      { view: "live", rounds: [30_000, 49_000, 19_800] },
      { view: "stalled", rounds: [39_200, 51_000, 19_000] },
    ],
    endurance: {
      steps: 100_000,
      before: { buffers: 9, bytes: 1000, resident: 1e8 },
      after: { buffers: 9, bytes: 1000, resident: 1e8 },
    },
    wholeRun: { own: [9, 30, 12], sklearn: [10, 10, 10], epochs: 50, members: 4 },
    data: [{ stage: "scale", rows: 1_000_000, rowsPerSecond: 345_678, peakBytes: 1.5e8 }],
    missing: ["jax: not asked for"],
    failures: [],
  };
  change(results);
  return results;
}

/** Names of the goals that are missed, and of those below the floor. */
function below(results: Results): { missed: string[]; below: string[] } {
  const namesOf = (isIt: (standing: ReturnType<typeof judge>[number]) => boolean) =>
    judge(results).filter(isIt).map(({ name }) => name);
  return { missed: namesOf(({ isMet }) => isMet === false), below: namesOf(({ holdsFloor }) => !holdsFloor) };
}

Deno.test("GOLDEN holds what 100 steps in float64 give; isGolden() refuses all else", () => {
  const seed = computeGolden(workloadOf("seed"));
  assertEquals(Object.keys(seed), Object.keys(GOLDEN.seed));
  for (const [steps, loss] of Object.entries(seed)) assertClose([loss], [GOLDEN.seed[steps]], { rtol: 1e-12 });
  for (const workload of WORKLOADS) {
    assertClose([computeGolden(workload, [0])[0]], [GOLDEN[workload.name][0]], { rtol: 1e-12 });
  }
  assert(isGolden("seed", 100, GOLDEN.seed[100] * (1 + 0.9 * TOLERANCE)));
  const stepTooFew = computeGolden(workloadOf("seed"), [99])[99];
  for (const loss of [stepTooFew, GOLDEN.seed[0], NaN]) assertEquals(isGolden("seed", 100, loss), false, `${loss}`);
  assertEquals(isGolden("seed", 99, GOLDEN.seed[100]), false, "no golden loss after 99 steps");
});

Deno.test("workloads: data and first weights stay what they were when the golden losses were made", () => {
  const [seed, wide, deep] = WORKLOADS;
  assertEquals([...batchesOf(seed)[99].x.slice(0, 3)], [-0.3706079423427582, -0.3514026999473572, 0.6101195216178894]);
  const weights = [0.05239863321185112, -0.09603321552276611, 0.010765934363007545];
  assertEquals([...initialParameters(wide)[1].weight.slice(0, 3)], weights);
  const { y } = batchesOf(deep)[0];
  const classes = Array.from({ length: 8 }, (_, row) => y.slice(10 * row, 10 * row + 10).indexOf(1));
  assertEquals(classes, [6, 8, 5, 1, 8, 9, 8, 6]);
  assertEquals(y.reduce((sum, value) => sum + value), 128);
  assertEquals(WORKLOADS.map((workload) => batchesOf(workload).length), [100, 16, 16, 100]);
});

Deno.test("lossAt() is the loss at the parameters given", () => {
  const workload = workloadOf("seed");
  const zeros = [new Float32Array(64), new Float32Array(64), new Float32Array(64), [0]];
  const { y } = batchesOf(workload)[0];
  assertClose([lossAt(workload, zeros)], [y.reduce((sum, value) => sum + value ** 2, 0) / 10], { rtol: 1e-12 });
});

Deno.test("timeRounds() fills rounds, in multiples of the granule", async () => {
  const counts: number[] = [];
  const train = async (count: number) => {
    counts.push(count);
    await new Promise((resolve) => setTimeout(resolve, count));
  };
  const rates = await timeRounds(train, 0.1, 8);
  assertEquals([rates.length, counts.filter((count) => count % 8 !== 0)], [3, []]);
  assertEquals(new Set(counts.slice(-3)).size, 1, `${counts}`);
  assert(rates.every((rate) => rate > 0), `${rates}`);
});

Deno.test("checkProduct() tells a right product from one with a wrong last output", () => {
  const size: Size = [100, 3, 100];
  const { a, b } = factors(size); // far more outputs than are checked
  const right = Float32Array.from({ length: 10_000 }, (_, at) => {
    const i = Math.floor(at / 100);
    const j = at % 100;
    return a[3 * i] * b[j] + a[3 * i + 1] * b[100 + j] + a[3 * i + 2] * b[200 + j];
  });
  assert(checkProduct(size, { a, b }, right) < 1);
  assert(checkProduct(size, { a, b }, right.with(9_999, right[9_999] + 1e-3)) > 1);
  assert(checkProduct(size, { a, b }, right.with(0, right[0] + 1e-3)) > 1);
  assertEquals(checkProduct(size, { a, b }, right.with(0, NaN)), Infinity);
  assertEquals(checkProduct(size, { a, b }, right.slice(1)), Infinity);
});

Deno.test("formatSize(), parseSize() and median()", () => {
  for (const size of [[255, 255, 255], [1000, 333, 77]] as const) assertEquals(parseSize(formatSize(size)), size);
  assertEquals([formatSize([3, 3, 3]), formatSize([3, 3, 4])], ["3", "3x3x4"]);
  assertEquals([median([3, 1, 2]), median([5]), median([1, 2, 3, 4])], [2, 5, 3]);
});

Deno.test("ratio() compares with the best of the peers asked for", () => {
  const jax = { ...WEBGPU, name: "jaxjs" as const };
  const [hand, eager] = NATIVES;
  const rows = [{ ...BACKHAND, v: 10 }, { ...WEBGPU, v: 4 }, { ...jax, v: 5 }, { ...WASM, v: 20 }];
  const native = [{ ...hand, v: 40 }, { ...eager, v: 25 }];
  const of = (kept: (Implementation & { v: number })[], peers: Peers) => ratio(kept, peers, ({ v }) => v);
  assertEquals([of(rows, "webgpu"), of([...rows, ...native], "javascript")], [2, 0.5]);
  assertEquals([of([...rows, ...native], "torch hand"), of(rows, "torch hand")], [0.25, NaN]);
  assertEquals(of(rows.slice(1), "javascript"), NaN);
  assertEquals(of([rows[0], rows[3]], "webgpu"), NaN);
});

Deno.test("lookingCost() compares a view with the quiet run of its round", () => {
  const { looking } = madeUp();
  const costs = (["terminal", "live", "stalled"] as const).map((view) => lookingCost(looking, view));
  assertClose(costs, [1, 2, 2], { rtol: 1e-9 });
  assertEquals(lookingCost(looking.slice(1), "live"), NaN);
  assertEquals(lookingCost([looking[0], { view: "live", rounds: [1] }], "live"), NaN);
});

Deno.test("judge() finds every goal met where all are, and each floor that is not held, by a wrong result too", () => {
  const ratios = GOALS.filter(({ unit, floor }) => unit === "x" && floor !== undefined);
  assertEquals([ratios.length, ratios.map(({ floor }) => floor)], [9, ratios.map(({ goal }) => goal / 2)]);
  assertEquals(below(madeUp()), { missed: [], below: [] });
  assertEquals(faultsOf(madeUp(), true), []);
  const wide = "wide, to the best WebGPU peer";
  const product = "matrix product 1024, to the best WebGPU peer";
  const views = ["speed that the live page costs", "speed that a page that never reads costs"];
  const bytes = "GPU bytes more after 100,000 steps";
  const peak = "matrix product 1024, to the adapter's multiply-adds";
  const burn = "seed, to burn ndarray";
  const whole = "train with all defaults, time to scikit-learn's";
  const seed = ["seed, to the best JavaScript peer", "seed, to the best WebGPU peer"];
  const slow = ({ training }: Results) => training[4].stepsPerSecond = 400;
  const wrong = ({ training }: Results) => training[0].loss *= 1.001;
  const missing = (results: Results) => results.training = results.training.slice(1);
  const cases: [change: (results: Results) => unknown, missed: string[], below?: string[]][] = [
    [slow, [wide]],
    [({ products }) => products[1].gflops = 28, [product], []], // 2.5 times
    [({ products }) => products[0].error = 2, [product, peak], [product]],
    [({ products }) => products[0].gflops = 60, [peak], []], // 0.49 times
    [({ training }) => training.find(({ name }) => name === "burn")!.stepsPerSecond = 61_000, [burn], []],
    [({ wholeRun }) => wholeRun!.own = [9, 30, 21], [whole], []],
    [({ training }) => training[3].costs!.waits = 0.5, ["waits a step"]],
    [({ looking }) => looking[2].rounds = [10_000, 15_000, 19_800], views.slice(0, 1)],
    [({ looking }) => looking[1].rounds = [38_000, 50_500, 19_000], ["speed that the terminal view costs"], []],
    [({ looking }) => looking.splice(2), views],
    [({ endurance }) => endurance!.after.bytes += 4, [bytes]],
    [wrong, [...seed, burn], seed],
    [missing, [...seed, burn], seed],
  ];
  for (const [change, missed, floors = missed] of cases) {
    assertEquals(below(madeUp(change)), { missed, below: floors }, `${change}`);
  }
  assertEquals(faultsOf(madeUp(slow), true), [`below the floor: ${wide}: found 1.25x, need at least 2.00x`]);
  assertEquals(faultsOf(madeUp(slow), false), []);
  assertEquals(isRight(madeUp(wrong).training[0]), false);
  const [fault, ...others] = faultsOf(madeUp(wrong), false);
  assertMatch(fault, /^backhand is wrong on seed: its loss after 100 steps is 0\.2409.*, not 0\.2407/);
  assertEquals(others, []);
  const faults = faultsOf(madeUp(missing), true).join("\n");
  assertStringIncludes(faults, "there is no valid result, need at least 1.00x");
});

Deno.test("judge() does not ask for what a quick run leaves out, nor of a hardware adapter", () => {
  const quick = { ...madeUp(), quick: true, endurance: undefined, data: undefined };
  assertEquals(below(quick).below, []);
  assertEquals(judge(quick).filter(({ value }) => value === undefined).length, 3);
  const alone = madeUp((results) => {
    results.training = results.training.slice(0, 12);
    results.wholeRun = undefined;
  });
  const unmet = judge(alone).filter(({ value }) => value === undefined).map(({ name }) => name);
  assertEquals([unmet.length, unmet.filter((name) => / to (torch|burn|candle|scikit)/.test(name))], [6, unmet]);
  assertEquals(faultsOf(alone, true), [], "no native peer is no fault");
  const short = { ...quick, looking: quick.looking.slice(0, 3) };
  short.looking[1].rounds = [20_000, 25_000, 10_000];
  const unmeasured = ["GPU bytes more after 100,000 steps", "resident bytes more after 100,000 steps"];
  assertEquals(below(short), { missed: unmeasured, below: [] }, "the start of a view counts there");
  assertMatch(formatResults(short), /speed that the terminal view costs +50\.0% +- +<= 60\.0% +too short to judge/);
  short.looking[1].rounds = [12_000, 15_000, 6_000];
  assertEquals(below(short).below, ["speed that the terminal view costs"]);
  const hardware = madeUp(({ limits, training }) => {
    limits.software = false;
    training[0].stepsPerSecond = 1;
  });
  assertEquals([judge(hardware), faultsOf(hardware, true)], [[], []]);
  assertStringIncludes(formatResults(hardware), "goals: not judged");
});

Deno.test("formatResults() puts everybody into one aligned table, and says what is wrong", () => {
  const results = madeUp();
  results.training[1].loss = NaN;
  results.failures.push({ worker: "deep, tfjs wasm", message: "it ended with 1: no" });
  const lines = formatResults(results).split("\n");
  const start = lines.findIndex((line) => line.startsWith("training, steps/s"));
  assertEquals(lines.slice(start, start + 17), [
    "training, steps/s                       seed    wide    deep    hand  peak memory",
    "backhand                              60,000     500      90   4,000       200 MB",
    "tfjs webgpu                            wrong    8.33     1.5    66.7       200 MB",
    "jaxjs webgpu                               -       -       -       -            -",
    "tfjs wasm                                  -       -       -       -            -",
    "jaxjs wasm                            30,000     250      45   2,000       200 MB",
    "tfjs cpu                                   -       -       -       -            -",
    "torch hand                            60,000     500      90       -            -",
    "torch eager                           60,000     500      90       -            -",
    "burn ndarray                          60,000     500      90       -            -",
    "candle cpu                            60,000     500      90       -            -",
    "backhand to the best WebGPU peer           -  60.00x  60.00x  60.00x",
    "backhand to the best JavaScript peer   2.00x   2.00x   2.00x   2.00x",
    "backhand to torch hand                 1.00x   1.00x   1.00x       -",
    "backhand to torch eager                1.00x   1.00x   1.00x       -",
    "backhand to burn ndarray               1.00x   1.00x   1.00x       -",
    "backhand to candle cpu                 1.00x   1.00x   1.00x       -",
  ]);
  const parts = [
    "device: a device; 2 cores",
    "versions: backhand 1.0.0, deno 2.0.0",
    "tfjs webgpu is wrong on seed: its loss after 100 steps is NaN, not 0.2407",
    "deep, tfjs wasm gave no result: it ended with 1: no",
    "first steps of train done 0.90, 1.10, 1.00 s after the process started",
    "scale        1,000,000  345,678       150 MB",
    "train with all defaults on 1,000 rows: 9.0, 30.0, 12.0 s for 50 epochs of 4 members; " +
    "scikit-learn 10.0, 10.0, 10.0 s for as many epochs of one: 1.20x",
    "not compared: jax: not asked for",
    "cost of watching  steps/s  slower by",
    "quiet              40,000          -",
    "terminal           39,600       1.0%",
    "live               30,000       2.0%",
    "stalled            39,200       2.0%",
  ];
  for (const part of parts) assertStringIncludes(lines.join("\n"), part);
});
