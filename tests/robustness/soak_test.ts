/** deno task soak in its short form, and that it sees what it is there for. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Device } from "../../lib/gpu/device.ts";
import { Tensor } from "../../lib/core/tensor.ts";
import { endure, faultsOf, type Tenth } from "../../tasks/soak/endurance.ts";
import { Workplace } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";

/** Ten tenths without a fault, and some of them changed. */
function tenths(changed: Record<number, Partial<Tenth>> = {}): Tenth[] {
  const sound = { rate: 1000, resident: 100e6, buffers: 21, bytes: 4096 };
  const count = Math.max(10, ...Object.keys(changed).map((i) => Number(i) + 1));
  return Array.from({ length: count }, (_, i) => ({ ...sound, step: 1000 * (i + 1), ...changed[i] }));
}

Deno.test("faultsOf() finds none where everything stays, or noise passes", () => {
  assertEquals(faultsOf(tenths(), 0.1), []);
  assertEquals(
    faultsOf(tenths({ 2: { rate: 100 }, 3: { resident: 300e6 }, 9: { resident: 104e6, rate: 901 } }), 0.1),
    [],
  );
  assertEquals(faultsOf(tenths({ 9: { rate: 500 }, 10: { rate: 600 }, 11: { rate: 950 } }), 0.1), []);
});

Deno.test("faultsOf() names what grew, leaked or became slower", () => {
  assertEquals(faultsOf(tenths({ 9: { resident: 106e6 } }), 0.1), [
    "resident memory grew by 6.0% between steps 1000 and 10000",
  ]);
  assertEquals(faultsOf(tenths({ 4: { buffers: 22, bytes: 4100 } }), 0.1), [
    "live GPU buffers are not constant: 21 of 4096 bytes after step 1000, 22 of 4100 bytes after step 5000",
  ]);
  assertEquals(faultsOf(tenths({ 9: { bytes: 8192 } }), 0.1).length, 1);
  assertEquals(faultsOf(tenths({ 9: { rate: 800 }, 10: { rate: 700 }, 11: { rate: 700 }, 12: { rate: 850 } }), 0.1), [
    "steps became slower: the last tenth by 15.0% of the median of all",
  ]);
});

permitted("endure() sees a buffer an epoch that leaks, memory that grows, and steps that become slower", async () => {
  const leaked: Tensor[] = [];
  const grown: Uint8Array[] = [];
  let epochs = 0;
  let before = performance.now();
  const afterEpoch = (device: Device) => {
    epochs++;
    leaked.push(Tensor.zeros(device, [1]));
    // More than malloc ever takes from what earlier tests gave back: the process has to grow.
    if (epochs % 10 === 0) grown.push(new Uint8Array(33 * 2 ** 20).fill(1));
    // After the warm-up and nine tenths, of 10 epochs each, an epoch takes four times as long, whatever the machine.
    if (epochs > 100) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3 * (performance.now() - before));
    before = performance.now();
  };
  const faults = faultsOf(await endure({ steps: 10_000, evaluated: true, slowing: 0.5, afterEpoch }), 0.5);
  assertEquals(faults.length, 3, faults.join("\n"));
  const [buffers, memory, speed] = faults;
  assertStringIncludes(buffers, "live GPU buffers are not constant: ");
  assertStringIncludes(memory, "resident memory grew by ");
  assertStringIncludes(speed, "steps became slower: ");
  assertEquals(epochs, leaked.length);
  assert(epochs > 110, "the slow tenth was not run again");
  assertEquals(grown.length, Math.floor(epochs / 10));
});

permitted("soak --short passes, and shows tenths of both trainings; other flags are refused", async () => {
  await using place = await Workplace.create();
  const { stdout, stderr } = await place.succeed("soak", ["--short"]);
  assertEquals([...stdout.matchAll(/^== .*/gm)].map(([title]) => title), [
    "== 30000 steps",
    "== 30000 steps, with an evaluation an epoch",
  ]);
  const rows = [...stdout.matchAll(/^ *(\d+) +\d+ +\d+\.\d +(\d+ +\d+)$/gm)];
  assertEquals(rows.filter(([_, step]) => step === "30000").length >= 2, true, stdout);
  assertEquals(new Set(rows.slice(0, 10).map(([_1, _2, held]) => held)).size, 1);
  assertMatch(stdout, /nothing grew, nothing became slower\n$/);
  assertEquals([stderr, await place.digests()], ["", {}]);
  await place.refuse(2, ["error: --long: soak takes --short alone"], "soak", ["--short", "--long"]);
});
