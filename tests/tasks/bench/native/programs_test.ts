/** The bench's native peers, played by shell scripts. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { GOLDEN } from "../../../../tasks/bench/golden.ts";
import { findNatives, multiplyNative, trainNative } from "../../../../tasks/bench/native/programs.ts";
import { workloadOf } from "../../../../tasks/bench/workloads.ts";
import { assertClose } from "../../../support/assert_close.ts";
import { permitted } from "../../../support/permitted.ts";
import { Workplace } from "../../../support/run_task_process.ts";

const SEED = workloadOf("seed");

/** A folder of programs. */
async function programs(scripts: Record<string, string>): Promise<Workplace> {
  const place = await Workplace.create();
  for (const [name, script] of Object.entries(scripts)) {
    await Deno.writeTextFile(place.at(name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return place;
}

permitted("findNatives() tells what is there from what is not", async () => {
  await using none = await programs({ python: "exit 1" });
  const absent = await findNatives(["hand"], undefined, none.at("python"), none.path);
  assertEquals([absent.natives, absent.versions, absent.missing.length], [[], {}, 4]);
  assert(absent.missing.every((line) => !line.startsWith("backhand")));
  assertEquals(
    (await findNatives(["hand"], ["torch"], none.at("python3"), none.path)).missing.length,
    3,
    "no Python at all",
  );
  await using all = await programs({ python: "echo 1.2.3", burn: "", candle: "" });
  const { natives, versions, missing } = await findNatives(["hand"], undefined, all.at("python"), all.path);
  assertEquals(natives.map(({ name, backend }) => `${name} ${backend}`), ["torch hand", "burn ndarray", "candle cpu"]);
  assertEquals([versions.torch, versions.sklearn, missing], ["1.2.3", "1.2.3", []]);
  assert(/^\d+\.\d+\.\d+$/.test(versions.burn) && /^\d+\.\d+\.\d+$/.test(versions.candle), JSON.stringify(versions));
});

permitted("a native peer is judged by the numbers that it writes, and timed by its own rounds", async () => {
  // Its parameters after the checked steps are those before the first; its product is the left side.
  await using place = await programs({
    burn: 'head -c $((4 * 193)) "$2" > "$3"; echo "{\\"rounds\\": [3, 1, 2]}"; echo "$@" > "$3".args',
    candle: "echo broken >&2; exit 3",
  });
  const { natives: [burn, candle] } = await findNatives([], undefined, place.at("none"), place.path);
  const result = await trainNative(burn, SEED, 100, 0.5, place.path);
  assertEquals([result.name, result.stepsPerSecond, result.checkedSteps], ["burn", 2, 100]);
  assertClose([result.loss], [GOLDEN.seed[0]], { rtol: 1e-12 });
  const args = (await Deno.readTextFile(place.at("native_output.f32.args"))).trim().split(" ");
  assertEquals([args[0], ...args.slice(3)], ["training", "0.5", "100", "mse", "0.01", "10", "1", "64", "1"]);
  // 193 parameters, 100 batches of 10 rows of an input and a target
  assertEquals((await Deno.stat(args[1])).size, 4 * (193 + 100 * 10 * 2));
  const [product] = await multiplyNative(burn, [[1, 193, 193]], 0.5, place.path);
  assertEquals(product.gflops, 2 * 2 * 193 * 193 / 1e9);
  assert(product.error > 1, "a side is no product");
  await assertRejects(() => trainNative(candle, SEED, 100, 0.5, place.path), Error, "exit code 3: broken");
});
