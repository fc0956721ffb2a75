/** `deno task bench --loads`: what a load costs, and what the table says it ran on. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { formatLoads, type LoadsResult } from "../../../../tasks/bench/adapter/loads_table.ts";
import { permitted } from "../../../support/permitted.ts";
import { Workplace } from "../../../support/run_task_process.ts";

permitted("bench --loads times every kind of load, with its permissions, and writes what it shows", async () => {
  await using place = await Workplace.create();
  const { stdout, stderr } = await place.succeed("bench", ["--loads", "--json", "-"]);
  const result: LoadsResult = JSON.parse(stdout);
  assertEquals(result.rows.length, 16);
  const [multiplyAdd, ...others] = result.rows;
  const dispatch = others.find(({ name }) => name === "empty dispatch")!;
  assert(multiplyAdd.nanoseconds > 0);
  for (const { name, nanoseconds } of others) {
    assertStringIncludes(stderr, name);
    // Each holds a multiply-add, too; half of it, because other load on the machine may slow one of the two.
    assert(nanoseconds > multiplyAdd.nanoseconds / 2, `${name}: ${nanoseconds} ns`);
  }
  assert(dispatch.nanoseconds > 5 * multiplyAdd.nanoseconds, `a dispatch takes ${dispatch.nanoseconds} ns`);
});

Deno.test("formatLoads() shows the machine, or that it is not known", () => {
  const rows = [{ name: "one", nanoseconds: 12.345 }, { name: "two", nanoseconds: 4321.5 }];
  const known = formatLoads({ device: "D", software: true, cpu: "C", driver: "V", rows });
  for (const line of ["device: D", "CPU: C", "driver: V"]) assertStringIncludes(known, line);
  assertStringIncludes(known, "one                               12.3\n");
  assertStringIncludes(known, "4,322");
  const unknown = formatLoads({ device: "D", software: true, rows });
  assertStringIncludes(unknown, "CPU: unknown");
  assertStringIncludes(unknown, "driver: unknown");
});
