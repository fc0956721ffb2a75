/** deno task export, run as a user runs it. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parse } from "@std/csv";
import { readSafetensors, writeSafetensors } from "../../../lib/safetensors/reader.ts";
import { assertClose } from "../../support/assert_close.ts";
import { runSession } from "../../support/onnx_process.ts";
import { NO_ADAPTER, parsePredictions, pathInProject, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

permitted("export writes models that predict as predict does", async (t) => {
  await using place = await Workplace.inSeries("export");
  await place.succeed("train", ["--num-dataset", "500", "--num-epochs", "3"]);
  await place.succeed("train", ["--recipe", "xor", "--num-epochs", "50", "--run-name", "pairs"]);
  const { rows: cubic } = parsePredictions(await place.succeed("predict", ["-80", "0.5", "99"]));
  const { rows: pairs } = parsePredictions(await place.succeed("predict", ["--run-name", "pairs", "0", "1", "1", "1"]));
  const close = (found: number[], rows: number[][]) =>
    assertClose(found, rows.map((row) => row.at(-1)!), { rtol: 1e-5, atol: 0 });

  await t.step("onnx, into the run's folder, and without an adapter", async () => {
    const { stdout, stderr } = await place.succeed("export", ["--format", "onnx"], NO_ADAPTER);
    assertEquals([stdout, stderr], ["wrote data/runs/default_run/model.onnx\n", ""]);
    const numeric = { width: 1, values: cubic.map(([x]) => x) };
    const { prediction } = await runSession(place.at("data/runs/default_run/model.onnx"), { numeric });
    close(prediction.values as number[], cubic);
  });
  await t.step("ts, from the folder that deno task was called in", async () => {
    await place.write("below/old.ts", "gone\n");
    const args = ["--format", "ts", "--run-name", "pairs", "--output", "old.ts"];
    const { stdout } = await place.succeed("export", args, { INIT_CWD: await Deno.realPath(place.at("below")) });
    assertMatch(stdout, /^wrote .*below\/old\.ts\n$/);
    const { predict } = await import(`file://${place.at("below/old.ts")}`);
    close(pairs.map(([x1, x2]) => predict({ x1, x2 }).y), pairs);
  });
  await t.step("pytorch, with its weights next to it", async () => {
    const args = ["--format", "pytorch", "--run-name=pairs", "--output=net.py"];
    assertEquals((await place.succeed("export", args)).stdout, "wrote net.py\nwrote net_torch.safetensors\n");
    assertStringIncludes(await place.read("net.py"), 'with_name("net_torch.safetensors")');
    const { tensors } = await readSafetensors(place.at("net_torch.safetensors"));
    const own = (await readSafetensors(place.at("data/runs/pairs/model.safetensors"))).tensors;
    assertEquals(tensors.get("layers.0.weight")!.shape, own.get("0.weight")!.shape.toReversed());
    assertEquals(tensors.get("layers.2.bias")!.data, own.get("2.bias")!.data);
  });
});

permitted("exports of tables as people have them predict as predict does", async (t) => {
  await using place = await Workplace.inSeries("export");
  const kinds = ["Private", "State-gov", "Self emp"];
  const lines = Array.from({ length: 120 }, (_, i) => {
    const time = 1_764_000_000 + 60 * i;
    const names = `${kinds[i % 3]}, ${i % 2 ? "True" : "False"}, ${i % 4}.0, town ${i % 10}`;
    return `${time}, ${names}, ${i + 7 * (i % 3) - 5 * (i % 4) + i % 10}, ${i % 5 > 1 ? "yes" : "no"}`;
  });
  await place.write("people.csv", ["time,work,member,cars,town,due,pays", ...lines].join("\n"));
  const rows = [
    { time: 1_764_000_600, work: " Private", member: true, cars: 1, town: "town 3" },
    { time: 1_764_000_601, work: "State-gov", member: "TRUE", cars: "3.0", town: "town 9" },
    { time: 1_764_006_000, work: "never seen", member: false, cars: 2, town: "nor this" },
    { time: 1_764_002_000.5, work: "Self emp ", member: "false", cars: "0", town: "town 0" },
    { time: 2e9, work: "Private", member: "true", cars: "0", town: "town 1" },
  ];
  const cells = ["time,work,member,cars,town", ...rows.map((row) => Object.values(row).join(","))];
  await place.write("new.csv", cells.join("\n"));
  const options = ["--data", "people.csv", "--categorical", "cars", "--hidden-size", "16", "--batch-size", "10"];

  /** Trains and exports a run; what predict, the ONNX file and the TypeScript file say of the rows. */
  const predictAll = async (run: string, args: string[], more = {}) => {
    await place.succeed("train", ["--run-name", run, ...options, ...args]);
    // A rule that the few rows here would not ask for.
    const path = place.at(`data/runs/${run}/model.safetensors`);
    const { tensors, metadata } = await readSafetensors(path);
    const rule = { ...JSON.parse(metadata.output ?? "{}"), ...more };
    await writeSafetensors(path, Object.fromEntries(tensors), { ...metadata, output: JSON.stringify(rule) });
    const { stdout } = await place.succeed("predict", ["--run-name", run, "--input", "new.csv"]);
    const { stderr } = await place.succeed("export", ["--run-name", run, "--format", "onnx"]);
    assertMatch(stderr, /^note: Cells of names .* Strip other spaces first/);
    await place.succeed("export", ["--run-name", run, "--format", "ts", "--output", `${run}.ts`]);
    const texts = (name: "work" | "member" | "cars" | "town") => {
      return { width: 1, values: rows.map((row) => `${row[name]}`) };
    };
    const numeric = { width: 1, values: rows.map(({ time }) => time) };
    const names = { work: texts("work"), member: texts("member"), cars: texts("cars"), town: texts("town") };
    const onnx = await runSession(place.at(`data/runs/${run}/model.onnx`), { numeric, ...names });
    const { predict } = await import(`file://${place.at(`${run}.ts`)}`);
    // deno-lint-ignore no-explicit-any -- numbers by target, or a class
    const ts: any[] = rows.map(predict);
    return { csv: parse(stdout, { skipFirstRow: true }), onnx, ts };
  };
  const close = (found: number[], wanted: number[]) => {
    const spread = Math.max(...wanted) - Math.min(...wanted);
    assertClose(found, wanted, { rtol: 0, atol: 1e-5 * spread });
  };
  /** What the run's file says of its members, and of what is done to outputs. */
  const ruleOf = async (run: string) => {
    const { metadata: { members, output = "{}" } } = await readSafetensors(
      place.at(`data/runs/${run}/model.safetensors`),
    );
    return { members, ...JSON.parse(output) };
  };

  await t.step("numbers, with the defaults: waves, members, within a range", async () => {
    const { csv, onnx, ts } = await predictAll("due", ["--target", "due", "--ignore", "pays", "--num-epochs", "15"]);
    const wanted = csv.map((row) => Number(row.predicted_due));
    close(onnx.prediction.values as number[], wanted);
    close(ts.map(({ due }) => due), wanted);
    const { members, clip } = await ruleOf("due");
    assertEquals([members, clip], ["4", true]);
    const graph = new TextDecoder().decode(await Deno.readFile(place.at("data/runs/due/model.onnx")));
    assertStringIncludes(graph, '"columns":[{"name":"time","as":"numeric"', "notes of the table");
  });
  await t.step("two classes: bins, two members, a temperature and a threshold", async () => {
    const args = ["--target", "pays", "--numeric-embedding", "piecewise", "--members", "2", "--threshold", "0.7"];
    const { csv, onnx, ts } = await predictAll("pays", [...args, "--ignore", "due", "--num-epochs", "10"], {
      temperature: 1.75,
    });
    const { members, threshold } = await ruleOf("pays");
    assertEquals([members, threshold], ["2", 0.7]);
    const wanted = csv.map((row) => Number(row.probability_yes));
    close((onnx.probabilities.values as number[]).filter((_, i) => i % 2 === 1), wanted);
    close(ts.map(({ probabilities }) => probabilities.yes), wanted);
    const classes = csv.map((row) => row.predicted_pays);
    assertEquals([onnx.label.values, ts.map((row) => row.class)], [classes, classes]);
  });
});

permitted("export refuses what it cannot do, and leaves files as they were", async () => {
  await using place = await Workplace.inSeries("export");
  await place.succeed("train", ["--recipe", "linear", "--num-dataset", "20", "--num-epochs", "1"]);
  await place.write("model.txt", "precious\n");
  const onnx = "--format=onnx";
  const pytorch = "--format=pytorch";
  const cases: [code: number, says: string[], args: string[]][] = [
    [2, ["--format is missing: allowed is onnx, pytorch or ts"], []],
    [2, ['--format is "typescript"', "the nearest is ts"], ["--format", "typescript"]],
    [2, ['--format is "onx"', "the nearest is onnx"], ["--format", "onx"]],
    [2, ["--output model.txt does not fit --format pytorch: it must end in .py"], [pytorch, "--output=model.txt"]],
    [2, ["must end in .onnx"], ["--format=onnx", "--output=data/runs/default_run/model.safetensors"]],
    [1, ["no/such/folder"], ["--format=onnx", "--output=no/such/folder/model.onnx"]],
    [1, ["no/such/folder"], ["--format=pytorch", "--output=no/such/folder/model.py"]],
    [1, ["data/runs/nope/model.safetensors", "`deno task train --run-name nope` makes it"], [onnx, "--run-name=nope"]],
  ];
  for (const [code, says, args] of cases) await place.refuse(code, says, "export", args);
  const path = "data/runs/default_run/model.safetensors";
  await place.write(path, "no model");
  await place.refuse(1, [path, "not a safetensors file"], "export", ["--format=ts"]);
});

permitted("what only export and tests load, no other task does, and no lock file pins for all", async () => {
  await using place = await Workplace.inSeries("export");
  const loadedBy = async (path: string) => {
    const config = ["--config", pathInProject("deno.json")];
    const { stdout } = await place.runDeno(["info", "--json", ...config, pathInProject(path)]);
    const { modules } = JSON.parse(stdout) as { modules: { specifier: string }[] };
    assertEquals(modules.length > 5, true, path);
    return modules.flatMap(({ specifier }) =>
      specifier.match(/^npm:.*(protobufjs|onnxruntime|sample-datasets|dataset-iris|vega|playwright|xterm|upng)/)?.[1] ??
        []
    );
  };
  assertEquals(await loadedBy("tasks/export.ts"), ["protobufjs"]);
  for (const path of ["tasks/train.ts", "tasks/predict.ts", "mod.ts"]) assertEquals(await loadedBy(path), [], path);
  for (const name of ["deno.lock", "deno.json"]) {
    const text = await Deno.readTextFile(new URL(`../../../${name}`, import.meta.url));
    assertEquals(
      text.match(/protobufjs|onnxruntime|sample-datasets|dataset-iris|vega|playwright|xterm|upng/),
      null,
      name,
    );
  }
});
