/** Settings that cannot go with the rows or the device: train refuses them before it writes over anything. */

import { assert, assertEquals } from "@std/assert";
import { readConfig } from "../../../tasks/settings/config.ts";
import { rowFaults } from "../../../tasks/training/rows.ts";
import { Splitter } from "../../../tasks/prepare/split.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const MIB = 2 ** 20;

/** Faults of a command line on a device that binds 128 MiB at once, of buffers as large as any. */
function faultsOf(args: string, binding = 128 * MIB): string[] {
  const config = readConfig("train", args.split(" ").filter(Boolean), { env: () => undefined, dotenv: "" });
  return rowFaults(config, { maxBufferSize: 2 ** 31, maxStorageBufferBindingSize: binding });
}

Deno.test("rowFaults() lets through what fits, to the last row and byte", () => {
  for (
    const args of [
      "",
      "--recipe linear",
      "--recipe xor",
      "--recipe xor --class-weights balanced",
      "--num-dataset 100 --warmup 79 --schedule plateau --patience 1",
      "--num-dataset 20 --batch-size 16",
      "--num-dataset 3 --split 0.5,0.5,0 --batch-size full",
      "--num-dataset 2 --batch-size 2 --split 1,0,0",
      "--num-dataset 1 --batch-size 1 --split 1,0,0 --scaling-method none",
      "--num-dataset 100000000",
      "--num-dataset 40000000 --split 0.1,0.9,0",
      "--num-dataset 100000000 --split 1,0,0 --recipe xor --batch-size 1",
      "--num-dataset 33554432 --split 1,0,0 --batch-size full --hidden-size 1",
      "--num-dataset 512 --split 1,0,0 --batch-size full --hidden-size 65536",
    ]
  ) assertEquals(faultsOf(args), [], args);
});

Deno.test("rowFaults() names setting, value and what is allowed", () => {
  const full = "--split 1,0,0 --batch-size full";
  const isFull = '--batch-size is "full"';
  const hasPatience = '--patience is "2"';
  const cases: [args: string, ...says: string[][]][] = [
    ["--num-dataset 20 --batch-size 17", ['--batch-size is "17"', "1 to the 16 training rows", "0.8,0.1,0.1", "full"]],
    ["--num-dataset 3 --split 0.1,0.9,0", ['--split is "0.1,0.9,0"', "none of NUM_DATASET 3 rows", "1 or more"]],
    ["--num-dataset 1 --batch-size full", ['--num-dataset is "1"', "1 row is left", "standardize is 2 or more"]],
    ["--num-dataset 1 --batch-size 2 --scaling-method minmax", ["minmax is 2 or more"], ['--batch-size is "2"']],
    [`--num-dataset 33554433 ${full} --hidden-size 1`, [
      isFull,
      "[33554433, 1]",
      `${128 * MIB + 4} bytes`,
      `${128 * MIB}`,
    ]],
    ["--num-dataset 100 --warmup 80 --schedule plateau --split 0.8,0,0.2", ["--schedule", "no validation rows"], [
      '--warmup is "80": allowed is 0 to 79, of 80 steps',
    ]],
    ["--recipe xor --patience 2 --class-weights balanced --loss mse", [hasPatience], ["--class-weights", "loss mse"]],
    ["--num-dataset 16777217 --recipe xor --hidden-size 1", ["[16777217, 2]", `${128 * MIB + 8} bytes`]],
    [`--num-dataset 513 ${full} --hidden-size 8,65536`, [isFull, "[513, 65536]"]],
    [`--num-dataset 257 ${full} --hidden-size 65536 --members 2`, [
      isFull,
      "[2 members of 257, 65536]",
      "fewer MEMBERS",
    ]],
  ];
  for (const [args, ...says] of cases) {
    const faults = faultsOf(args);
    assertEquals(faults.length, says.length, `${args}: ${faults}`);
    says.forEach((words, i) => {
      for (const word of words) assert(faults[i].includes(word), `${args} does not say ${word}: ${faults[i]}`);
    });
  }
  // As a wrong value does, it says where it was set.
  const dotenv = "NUM_DATASET=20\nBATCH_SIZE=17\n";
  const set = readConfig("train", [], { env: (key) => ({ WARMUP: "1000" })[key], dotenv });
  const [fault] = rowFaults(set, { maxBufferSize: MIB, maxStorageBufferBindingSize: MIB });
  assertEquals(fault.split(":")[0], 'BATCH_SIZE is "17" (from .env, line 2)');
  const [late] = rowFaults({ ...set, batchSize: 10 }, { maxBufferSize: MIB, maxStorageBufferBindingSize: MIB });
  assertEquals(late.split(":")[0], 'WARMUP is "1000" (from the environment)');
  const config = readConfig("train", [], { env: () => undefined, dotenv: "" });
  assertEquals(rowFaults(config, { maxBufferSize: 1000, maxStorageBufferBindingSize: 2 ** 31 }).length, 1);
});

Deno.test("Splitter.countsOf() counts as splitting does, for a hundred million rows too", () => {
  for (const shares of [[0.8, 0.1, 0.1], [1, 0, 0], [1 / 3, 1 / 3, 1 / 3], [0.001, 0.299, 0.7]] as const) {
    for (const rows of [1, 2, 7, 4096, 4097, 10_000]) {
      const splitter = new Splitter(shares, 3);
      for (let done = 0; done < rows; done += 4096) splitter.assign(Math.min(4096, rows - done));
      assertEquals(Splitter.countsOf(shares, rows), splitter.counts);
    }
  }
  assertEquals(Splitter.countsOf([0.7, 0.2, 0.1], 100_000_000), [70_000_000, 20_000_000, 10_000_000]);
});

permitted("train refuses what cannot go with rows or device before it touches dataset and runs", async () => {
  await using place = await Workplace.inSeries("train");
  await place.succeed("train", ["--num-dataset", "30", "--num-epochs", "1"]);
  const cases: [args: string, ...says: string[]][] = [
    ["--num-dataset 30 --seed 7 --batch-size 25", '--batch-size is "25": allowed is 1 to the 24 training rows'],
    ["--num-dataset 40 --hidden-size 65536,65536", '--hidden-size is "65536,65536"', "this device binds at most"],
  ];
  for (const [args, ...says] of cases) await place.refuse(2, says, "train", args.split(" "));
  await place.write("data/cubic.csv", await place.read("data/cubic.csv") + "1,2\r\n");
  const again = ["--generate-dataset", "--batch-size=25", "--num-dataset=30"];
  await place.refuse(2, ['--batch-size is "25"'], "train", again);
});
