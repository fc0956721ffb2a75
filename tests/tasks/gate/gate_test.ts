import { assertEquals, assertThrows } from "@std/assert";
import { groupTests, readCoverage, readTotals, removeCutFiles } from "../../../tasks/gate/gate.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

Deno.test("readTotals() reads the runner's last line, steps and colours or not", () => {
  assertEquals(readTotals("a ... ok (1ms)\n\nok | 12 passed | 0 failed (3s)\n"), { passed: 12, failed: 0 });
  const colored =
    "\x1b[0m\x1b[31mFAILED\x1b[0m | 3 passed (5 steps) | 2 failed (1 step) | 1 ignored \x1b[38;5;245m(1s)\x1b[0m";
  assertEquals(readTotals(colored), { passed: 3, failed: 2 });
  assertEquals(readTotals("ok | 1 passed | 0 failed\nok | 2 passed | 0 failed"), { passed: 2, failed: 0 });
});

Deno.test("readTotals() reads nothing from a run without totals", () => {
  assertEquals(readTotals("error: Type checking failed.\n"), undefined);
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

Deno.test("groupTests() gives tests of pages all permissions, and what times itself the machine", () => {
  const texts = new Map([
    ["tests/z_test.ts", 'import { a } from "./a.ts";'],
    ["tests/robustness/soak_test.ts", ""],
    ["tests/page_test.ts", 'import { type Page, withPage } from "./support/browser.ts";'],
    ["tests/report_test.ts", 'import {\n  openReport,\n} from "./report_page.ts";'],
    ["tests/report_page.ts", 'import { withPage } from "./support/browser.ts";'],
    ["tests/a.ts", ""],
    ["tests/support/browser.ts", 'import "../../../tasks/setup/browser.ts";'],
    ["tests/b_test.ts", 'import "../tasks/setup/browser.ts";'],
  ]);
  assertEquals(groupTests(texts), {
    together: ["tests/b_test.ts", "tests/z_test.ts"],
    alone: ["tests/robustness/soak_test.ts"],
    pages: ["tests/page_test.ts", "tests/report_test.ts"],
  });
});

Deno.test("groupTests() puts first what starts processes, itself or by what it imports, and then what is long", () => {
  const texts = new Map([
    ["tests/a_test.ts", "short"],
    ["tests/b_test.ts", "much longer than the others"],
    ["tests/c_test.ts", 'import "./runs.ts";'],
    ["tests/d_test.ts", "new Deno.Command()"],
    ["tests/runs.ts", 'import "./run.ts";'],
    ["tests/run.ts", "new Deno.Command()"],
    ["tests/robustness/soak_test.ts", ""],
  ]);
  const paths = ["tests/c_test.ts", "tests/d_test.ts", "tests/b_test.ts", "tests/a_test.ts"];
  assertEquals(groupTests(texts).together, paths);
});

Deno.test("groupTests() refuses a list that names a test which is not there", () => {
  assertThrows(
    () => groupTests(new Map([["tests/a_test.ts", ""]])),
    Deno.errors.NotFound,
    "No such test: tests/robustness/soak_test.ts",
  );
  assertEquals(groupTests(new Map()), { together: [], alone: [], pages: [] });
});

permitted("removeCutFiles() leaves what is whole", async () => {
  await using place = await Workplace.create({
    "c/whole.json": '{"a":{}}',
    "c/empty.json": "",
    "c/cut.json": '{"a":{"b"',
  });
  assertEquals(await removeCutFiles(new URL(`file://${encodeURI(place.at("c"))}/`)), 2);
  assertEquals(await Array.fromAsync(Deno.readDir(place.at("c")), ({ name }) => name), ["whole.json"]);
});
