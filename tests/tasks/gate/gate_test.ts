import { assertEquals, assertThrows } from "@std/assert";
import { readCoverage, removeCutFiles } from "../../../tasks/gate/coverage.ts";
import { groupTests, readTotals } from "../../../tasks/gate/gate.ts";
import { faultsOf } from "../../../tasks/gate/speed.ts";
import { GOLDEN } from "../../../tasks/bench/golden.ts";
import type { TrainingResult } from "../../../tasks/bench/results.ts";
import { CHECKED_STEPS } from "../../../tasks/bench/workloads.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

Deno.test("readTotals() reads the runner's last line, steps and colours or not, and nothing without one", () => {
  const colored =
    "\x1b[0m\x1b[31mFAILED\x1b[0m | 3 passed (5 steps) | 2 failed (1 step) | 1 ignored \x1b[38;5;245m(1s)\x1b[0m";
  const cases: [string, ReturnType<typeof readTotals>][] = [
    ["a ... ok (1ms)\n\nok | 12 passed | 0 failed (3s)\n", { passed: 12, failed: 0 }],
    [colored, { passed: 3, failed: 2 }],
    ["ok | 1 passed | 0 failed\nok | 2 passed | 0 failed", { passed: 2, failed: 0 }],
    ["error: Type checking failed.\n", undefined],
  ];
  for (const [output, totals] of cases) assertEquals(readTotals(output), totals, output);
});

Deno.test("readCoverage() counts the lines that ran in one folder", () => {
  const lcov = [
    "SF:/p/lib/a.ts\nDA:1,5\nDA:2,0\nDA:10,1\nLH:2\nLF:3\nend_of_record",
    "SF:/p/tests/a_test.ts\nDA:1,1\nend_of_record",
    "SF:/p/lib/b.ts\nDA:1,0\nend_of_record\n",
  ].join("\n");
  assertEquals(readCoverage(lcov, "/p/lib/"), [
    { file: "a.ts", covered: 2, total: 3 },
    { file: "b.ts", covered: 0, total: 1 },
  ]);
});

/** Files that the gate knows by name, and that must be there. */
const NAMED: [string, string][] = [
  "robustness/soak_test.ts",
  "house/permissions_test.ts",
  "tasks/training/task_resume_test.ts",
  "tasks/tune/task_tune_test.ts",
  "robustness/mutation_test.ts",
  "tasks/training/real_data_test.ts",
  "tasks/mpi/task_train_mpi_test.ts",
  "tasks/prepare/task_locks_test.ts",
  "tasks/training/task_train_test.ts",
  "ranks/mpi_test.ts",
  "check/used_kernels_test.ts",
].map((name) => [`tests/${name}`, ""]);

Deno.test("groupTests() gives pages all permissions, counts lines in rooms of lib, and puts first what takes long", () => {
  const uncounted = ["check/doctor", "core/dropout_mask", "gpu/fusion"].map((name) => `tests/${name}_test.ts`);
  const texts = new Map([
    ...uncounted.map((path) => [path, ""] as const),
    ["tests/core/short_test.ts", "short"],
    ["tests/core/long_test.ts", "much longer than the others"],
    ["tests/core/starts_test.ts", "new Deno.Command()"],
    ["tests/tasks/long_test.ts", "longer than the other"],
    ["tests/tasks/runs_test.ts", 'import "./runs.ts";'],
    ["tests/tasks/runs.ts", 'import "./run.ts";'],
    ["tests/tasks/run.ts", "new Deno.Command()"],
    ["tests/page_test.ts", 'import { type Page, withPage } from "./support/browser.ts";'],
    ["tests/report_test.ts", 'import {\n  openReport,\n} from "./report_page.ts";'],
    ["tests/report_page.ts", 'import { withPage } from "./support/browser.ts";'],
    ["tests/support/browser.ts", 'import "../../../tasks/setup/browser.ts";'],
    ...NAMED,
  ]);
  const [alone, ...slow] = NAMED.map(([path]) => path);
  const others = ["starts", "long", "short"].map((name) => `tests/core/${name}_test.ts`);
  assertEquals(groupTests(texts), {
    counted: [...slow.slice(-2), ...others],
    together: [...slow.slice(0, -2), "tests/tasks/runs_test.ts", "tests/tasks/long_test.ts", ...uncounted],
    alone: [alone],
    pages: ["tests/page_test.ts", "tests/report_test.ts"],
  });
});

Deno.test("groupTests() refuses a list that names a test which is not there", () => {
  const says = "No such test: tests/robustness/soak_test.ts";
  assertThrows(() => groupTests(new Map([["tests/a_test.ts", ""]])), Deno.errors.NotFound, says);
  assertEquals(groupTests(new Map()), { counted: [], together: [], alone: [], pages: [] });
});

permitted("removeCutFiles() leaves what is whole", async () => {
  const files = { "c/whole.json": '{"a":{}}', "c/empty.json": "", "c/cut.json": '{"a":{"b"' };
  await using place = await Workplace.create(files);
  assertEquals(await removeCutFiles(new URL(`file://${encodeURI(place.at("c"))}/`)), 2);
  assertEquals(await Array.fromAsync(Deno.readDir(place.at("c")), ({ name }) => name), ["whole.json"]);
});

Deno.test("faultsOf() asks for the bench's floors next to the best WebGPU peer, and for the right loss", () => {
  const costs = { dispatches: 2, allocations: 0, bindGroups: 0, waits: 0, reads: 0.01 };
  const right: TrainingResult = {
    name: "backhand",
    backend: "webgpu",
    workload: "wide",
    stepsPerSecond: 500,
    rounds: [500],
    checkedSteps: CHECKED_STEPS,
    loss: GOLDEN.wide[CHECKED_STEPS],
    peakBytes: 1,
    costs,
  };
  const peer: TrainingResult = { ...right, name: "tfjs", stepsPerSecond: 100, rounds: [100], costs: undefined };
  const faults = (change: Partial<TrainingResult>) => faultsOf("wide", [{ ...right, ...change }, peer]);
  assertEquals(faults({}), []);
  const slow = "wide, to the best WebGPU peer: found 1.50, at least 2 is asked";
  assertEquals(faults({ stepsPerSecond: 150, rounds: [150] }), [slow]);
  assertEquals(faults({ loss: 7 })[0], "wide: backhand has a wrong loss");
  assertEquals(faults({ costs: { ...costs, waits: 1 } }), ["waits a step: found 1.00, at most 0 is asked"]);
});
