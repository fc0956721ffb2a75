/** Holds the code to the plan of the house: what lies on the top level, and which way imports run. */
import { assertEquals } from "@std/assert";

const root = new URL("../", import.meta.url);

const topLevel = [
  ".ci",
  ".env.example",
  ".gitignore",
  "LICENSE",
  "README.md",
  "data",
  "deno.json",
  "deno.lock",
  "kernels",
  "lib",
  "mod.ts",
  "tasks",
  "tests",
];

/** The storeys of lib from the ground up: a file imports from those below, and from its own where that makes no circle. */
const storeys: string[] = [
  "communicator group ranks csv_files csv_range errors files shape random csv csv_text scaler metrics safetensors safetensors_header safetensors_writer " +
  "reference table cells csv_records table_encoder table_json table_profile epoch_plan row_source " +
  "safetensors_rows matrix reference_activations reference_layers reference_losses reference_optimizers " +
  "bounded_json printable classification_metrics diagnosis version model_metadata reference_dropout learning_rates " +
  "plateau reference_statistics safetensors_bytes mpi_library mpi_watch mpi",
  "adapter command_builder device gpu_faults pipeline product recording schedule staging",
  "tensor",
  "elementwise matmul ops reductions rows activations dropout clipping step_rates not_finite tensor_statistics",
  "layers losses optimizers init activation_layers layer linear perceptron flat_optimizer gradient_descent " +
  "adaptive_optimizers dropout_layer weighted_losses early_stopping",
  "model",
  "trainer trainer_options group_steps own_steps shared_steps local_steps row_windows evaluation saved_model predictor gradcheck self_check self_check_cases " +
  "whole_step whole_step_cases activation_cases load_model loss_cases training_step optimizer_cases " +
  "training_state checkpoint examination watch fault_finder fault_cause stored_layers step_look layer_look statistics_cases " +
  "model_bytes",
];

const storeyOf = new Map<string, number>(
  storeys.flatMap((files, storey) => files.split(" ").map((file) => [`lib/${file}.ts`, storey] as const)),
);

/** Texts of TypeScript files by path, as from the project's folder. */
type Sources = Map<string, string>;

function withoutComments(text: string): string {
  return text.replaceAll(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
}

/** The files that a file imports, types included; paths are as from the project's folder. */
function importsOf(path: string, text: string): string[] {
  const statements = /^(?:import|export)\b[^;"']*?(?:from\s*)?"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...withoutComments(text).matchAll(statements)]
    .map((match) => match[1] ?? match[2])
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => new URL(specifier, `file:///${path}`).pathname.slice(1));
}

/** What is wrong with one import; undefined where nothing is. */
function faultOf(from: string, to: string): string | undefined {
  const [source, target] = [from.split("/")[0], to.split("/")[0]];
  if (to.endsWith(".wgsl")) return from === "kernels/mod.ts" ? undefined : "only kernels/mod.ts imports kernels";
  if (source === "kernels" && target !== "kernels") return "kernels import nothing from elsewhere";
  if (source === "lib" && target !== "lib" && to !== "kernels/mod.ts") {
    return "lib imports nothing but lib and kernels/mod.ts";
  }
  if (source === "mod.ts" && target !== "lib" && to !== "kernels/mod.ts") {
    return "mod.ts exports from lib and kernels alone";
  }
  if (source === "tasks" && target === "tests") return "tasks import nothing from tests";
  if (source !== "lib" || target !== "lib") return undefined;
  const [own, other] = [storeyOf.get(from), storeyOf.get(to)];
  if (own !== undefined && other !== undefined && other > own) {
    return `an import runs upward, from storey ${own} to ${other}`;
  }
}

/** A circle of imports that starts and ends at a file; undefined where there is none. */
function circleFrom(start: string, imports: Map<string, string[]>): string[] | undefined {
  const ways = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const next of imports.get(way.at(-1)!) ?? []) {
      if (next === start) return [...way, start];
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
}

/** Everything about the sources that breaks the plan, a line each. */
function findFaults(sources: Sources): string[] {
  const faults: string[] = [];
  const imports = new Map([...sources].map(([path, text]) => [path, importsOf(path, text)]));
  for (const [path, targets] of imports) {
    if (path.startsWith("lib/") && !storeyOf.has(path)) faults.push(`${path}: stands in no storey`);
    for (const target of targets) {
      const fault = faultOf(path, target);
      if (fault) faults.push(`${path} -> ${target}: ${fault}`);
    }
    const circle = circleFrom(path, imports);
    if (circle) faults.push(`${circle.join(" -> ")}: imports run in a circle`);
  }
  const rest = withoutComments(sources.get("mod.ts") ?? "")
    .replaceAll(/^export (?:type )?(?:\{[^}]*\}|\* as \w+) from "[^"]+";$/gm, "").trim();
  if (rest !== "") faults.push(`mod.ts: holds more than named exports: ${rest.split("\n")[0]}`);
  return faults;
}

async function readSources(folder: URL, prefix = "", sources: Sources = new Map()): Promise<Sources> {
  for await (const { name, isDirectory, isFile } of Deno.readDir(folder)) {
    if (isDirectory && !name.startsWith(".") && !["data", "coverage", "node_modules"].includes(name)) {
      await readSources(new URL(`${name}/`, folder), `${prefix}${name}/`, sources);
    }
    if (isFile && name.endsWith(".ts")) {
      sources.set(`${prefix}${name}`, await Deno.readTextFile(new URL(name, folder)));
    }
  }
  return sources;
}

Deno.test("findFaults() finds none in the project", async () => {
  assertEquals(findFaults(await readSources(root)), []);
});

Deno.test("findFaults() names every kind of fault", () => {
  const cases: [Record<string, string>, string[]][] = [
    [
      { "lib/shape.ts": 'import { ops } from "./ops.ts";' },
      ["lib/shape.ts -> lib/ops.ts: an import runs upward, from storey 0 to 3"],
    ],
    [{ "lib/attic.ts": "" }, ["lib/attic.ts: stands in no storey"]],
    [
      {
        "lib/layers.ts": 'import {\n  type Loss,\n} from "./losses.ts";',
        "lib/losses.ts": 'export * from "./layers.ts";',
      },
      [
        "lib/layers.ts -> lib/losses.ts -> lib/layers.ts: imports run in a circle",
        "lib/losses.ts -> lib/layers.ts -> lib/losses.ts: imports run in a circle",
      ],
    ],
    [
      { "lib/ops.ts": 'import relu from "../kernels/relu.wgsl" with { type: "text" };' },
      ["lib/ops.ts -> kernels/relu.wgsl: only kernels/mod.ts imports kernels"],
    ],
    [
      { "lib/model.ts": 'const keys = await import("../tasks/keys.ts");' },
      ["lib/model.ts -> tasks/keys.ts: lib imports nothing but lib and kernels/mod.ts"],
    ],
    [
      { "kernels/mod.ts": 'import "../lib/shape.ts";' },
      ["kernels/mod.ts -> lib/shape.ts: kernels import nothing from elsewhere"],
    ],
    [
      { "tasks/train.ts": 'import { assertClose } from "../tests/assert_close.ts";' },
      ["tasks/train.ts -> tests/assert_close.ts: tasks import nothing from tests"],
    ],
    [{ "mod.ts": "export const answer = 42;" }, ["mod.ts: holds more than named exports: export const answer = 42;"]],
    [{ "mod.ts": '/** @module */\nexport { type A, b } from "./lib/ops.ts";' }, []],
    [{ "lib/csv.ts": '/**\n * import { ops } from "./ops.ts";\n */\n// import "./ops.ts";' }, []],
  ];
  for (const [files, faults] of cases) assertEquals(findFaults(new Map(Object.entries(files))), faults);
});

Deno.test("the top level holds what the plan names, and what git ignores", async () => {
  const ignored = (await Deno.readTextFile(new URL(".gitignore", root))).split("\n").filter((line) => line !== "")
    .map((line) => new RegExp(`^${line.replace(/^\//, "").replaceAll(".", "\\.").replaceAll("*", ".*")}$`));
  const names: string[] = [];
  for await (const { name } of Deno.readDir(root)) {
    if (name !== ".git" && !ignored.some((pattern) => pattern.test(name))) names.push(name);
  }
  assertEquals(names.sort(), topLevel.toSorted());
});
