/** Holds the code to the plan of the house: its rooms, what each may import, and what lies on the top level. */
import { assertEquals, assertMatch } from "@std/assert";
import { importsOf, readSources } from "../../tasks/gate/sources.ts";
import { permitted } from "../support/permitted.ts";

const root = new URL("../../", import.meta.url);

const topLevel =
  ".ci .env.example .github .gitignore LICENSE README.md data deno.json deno.lock kernels lib mod.ts tasks tests";

/** Folders of tests that mirror no room. */
const OWN_ROOMS_OF_TESTS = ["house", "robustness", "support", "tasks"];

/** Rooms by path, such as `lib/core`, each with the rooms that its README says it may import. */
type Rooms = ReadonlyMap<string, readonly string[]>;

type Sources = ReadonlyMap<string, string>;

/** The room that a file stands in: of lib and tasks the folder below. */
function roomOf(path: string): string {
  return path.split("/").slice(0, -1).slice(0, 2).join("/");
}

/** What a room's README says that it may import: `May import: base, gpu.` */
function allowedBy(room: string, readme: string): string[] | undefined {
  const line = readme.match(/^May import: (.*)\.$/m)?.[1];
  if (line === undefined) return undefined;
  if (line === "nothing") return [];
  const top = room.split("/")[0];
  return line.split(", ").map((name) => name === "kernels" || name.includes("/") ? name : `${top}/${name}`);
}

/** What is wrong with one import; undefined where nothing is. */
function faultOf(from: string, to: string, rooms: Rooms): string | undefined {
  const source = from.split("/")[0];
  const target = to.split("/")[0];
  if (to.endsWith(".wgsl")) return from === "kernels/mod.ts" ? undefined : "only kernels/mod.ts imports kernels";
  if (source === "kernels") return "kernels import nothing from elsewhere";
  if (source === "lib" && target !== "lib" && to !== "kernels/mod.ts") {
    return "lib imports nothing but lib and kernels/mod.ts";
  }
  if (source === "mod.ts" && target !== "lib" && to !== "kernels/mod.ts") {
    return "mod.ts exports from lib and kernels alone";
  }
  if (source === "tasks" && target === "tests") return "tasks import nothing from tests";
  const own = roomOf(from);
  const other = roomOf(to);
  const allowed = rooms.get(own);
  // What tasks take from lib, and the scripts at the top of tasks from its rooms, is free.
  if (!allowed || own === other || (source === "tasks" && target !== "tasks")) return undefined;
  if (!allowed.includes(other)) return `${own}/README.md does not allow ${other}`;
}

/** A circle of names that starts and ends at one; undefined where there is none. */
function circleFrom(start: string, next: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const ways = [[start]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const name of next.get(way.at(-1)!) ?? []) {
      if (name === start) return [...way, start];
      if (!seen.has(name)) ways.push([...way, name]);
      seen.add(name);
    }
  }
}

/** Everything about the sources that breaks the plan, a line each. */
function findFaults(sources: Sources, readmes: ReadonlyMap<string, string> = new Map()): string[] {
  const faults: string[] = [];
  const rooms = new Map<string, readonly string[]>();
  for (const room of new Set([...sources.keys()].map(roomOf))) {
    if (!/^(lib|tasks)\//.test(room)) continue;
    const allowed = allowedBy(room, readmes.get(`${room}/README.md`) ?? "");
    if (allowed) rooms.set(room, allowed);
    else faults.push(`${room}/README.md has no line "May import: ..."`);
  }
  for (const [room] of rooms) {
    const circle = circleFrom(room, rooms);
    if (circle) faults.push(`${circle.join(" -> ")}: rooms import each other`);
  }
  const imports = new Map([...sources].map(([path, text]) => [path, importsOf(path, text)]));
  for (const [path, targets] of imports) {
    if (/^(lib|tests)\/[^/]+$/.test(path)) faults.push(`${path}: stands in no room`);
    for (const target of targets) {
      const fault = faultOf(path, target, rooms);
      if (fault) faults.push(`${path} -> ${target}: ${fault}`);
    }
    const circle = circleFrom(path, imports);
    if (circle) faults.push(`${circle.join(" -> ")}: imports run in a circle`);
  }
  const rest = (sources.get("mod.ts") ?? "").replaceAll(/^\s*\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
    .replaceAll(/^export (?:type )?(?:\{[^}]*\}|\* as \w+) from "[^"]+";$/gm, "").trim();
  if (rest !== "") faults.push(`mod.ts: holds more than named exports: ${rest.split("\n")[0]}`);
  return faults;
}

permitted("findFaults() finds none in the project", async () => {
  assertEquals(findFaults(await readSources("."), await readSources(".", "README.md")), []);
});

Deno.test("findFaults() names every kind of fault", () => {
  const wrongImports = [
    ["lib/base/shape.ts", "lib/core/ops.ts", "lib/base/README.md does not allow lib/core"],
    ["lib/core/ops.ts", "kernels/relu.wgsl", "only kernels/mod.ts imports kernels"],
    ["lib/core/model.ts", "tasks/settings/settings.ts", "lib imports nothing but lib and kernels/mod.ts"],
    ["kernels/mod.ts", "lib/base/shape.ts", "kernels import nothing from elsewhere"],
    ["tasks/train.ts", "tests/support/assert_close.ts", "tasks import nothing from tests"],
  ];
  const words = [
    'import { a } from "TO"',
    'import "TO"',
    'import a from "TO" with { type: "text" }',
    'await import("TO")',
  ];
  const cases: [Record<string, string>, ...string[]][] = [
    ...wrongImports.flatMap(([from, to, says]) =>
      words.map((text): [Record<string, string>, string] => [
        { [from]: `${text.replace("TO", "../".repeat(from.split("/").length - 1) + to)};` },
        `${from} -> ${to}: ${says}`,
      ])
    ),
    [{ "lib/attic/old.ts": "" }, 'lib/attic/README.md has no line "May import: ..."'],
    [{ "lib/attic.ts": "" }, "lib/attic.ts: stands in no room"],
    [
      { "tasks/show/a.ts": 'import "../export/b.ts";', "tasks/export/b.ts": "" },
      "tasks/show -> tasks/export -> tasks/show: rooms import each other",
      "tasks/export -> tasks/show -> tasks/export: rooms import each other",
    ],
    [
      { "lib/core/a.ts": 'import {\n  type Loss,\n} from "./b.ts";', "lib/core/b.ts": 'export * from "./a.ts";' },
      "lib/core/a.ts -> lib/core/b.ts -> lib/core/a.ts: imports run in a circle",
      "lib/core/b.ts -> lib/core/a.ts -> lib/core/b.ts: imports run in a circle",
    ],
    [{ "mod.ts": "export const answer = 42;" }, "mod.ts: holds more than named exports: export const answer = 42;"],
    [{ "mod.ts": '/** @module */\nexport { type A, b } from "./lib/core/ops.ts";' }],
    [{ "lib/base/csv.ts": '/**\n * import { ops } from "../core/ops.ts";\n */\n// import "../core/ops.ts";' }],
  ];
  const readmes = new Map([
    ["lib/base/README.md", "May import: nothing."],
    ["lib/core/README.md", "# Core\n\nMay import: kernels, base.\n"],
    ["tasks/show/README.md", "May import: export."],
    ["tasks/export/README.md", "May import: show."],
  ]);
  for (const [files, ...faults] of cases) assertEquals(findFaults(new Map(Object.entries(files)), readmes), faults);
});

permitted("at the top of tasks stands one script per deno task", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const scripts = [...(await readSources("tasks")).keys()].filter((path) => roomOf(path) === "tasks");
  assertEquals(scripts, Object.keys(tasks).map((task) => `tasks/${task.replaceAll("-", "_")}.ts`).sort());
});

permitted("the READMEs of lib and tasks have a row for each room, with what it may import", async () => {
  for (const top of ["lib", "tasks"]) {
    const table = await Deno.readTextFile(new URL(`${top}/README.md`, root));
    for (const [path, readme] of await readSources(top, "README.md")) {
      const room = path.split("/").slice(1, -1).join("/");
      const allowed = readme.match(/^May import: (.*)\.$/m)?.[1];
      if (room === "" || allowed === undefined) continue;
      assertMatch(table, new RegExp(`^\\| \`${room}\` .*\\| ${allowed} *\\|$`, "m"), `${top}/README.md: ${room}`);
    }
  }
});

permitted("rooms of tests mirror those of lib and tasks", async () => {
  const rooms = new Set([...(await readSources(".")).keys()].map(roomOf));
  const others: string[] = [];
  for (const path of (await readSources("tests")).keys()) {
    const [_, room, inner] = path.split("/");
    const mirrored = room === "tasks" ? `tasks/${inner}` : `lib/${room}`;
    if (!rooms.has(mirrored) && (room === "tasks" || !OWN_ROOMS_OF_TESTS.includes(room))) others.push(path);
  }
  assertEquals(others, []);
});

permitted("the top level holds what the plan names, and what git ignores", async () => {
  const ignored = (await Deno.readTextFile(new URL(".gitignore", root))).split("\n").filter((line) => line !== "")
    .map((line) => new RegExp(`^${line.replace(/^\//, "").replaceAll(".", "\\.").replaceAll("*", ".*")}$`));
  const names: string[] = [];
  for await (const { name } of Deno.readDir(root)) {
    if (name !== ".git" && !ignored.some((pattern) => pattern.test(name))) names.push(name);
  }
  assertEquals(names.sort(), topLevel.split(" ").sort());
});
