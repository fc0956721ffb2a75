/**
 * Each task's permissions in deno.json are enough for what it does, and none is too much. --allow-env and --allow-run name
 * nothing: settings are read under all the names that tasks/settings/settings.ts knows, and where LD_LIBRARY_PATH is set, as
 * drivers of GPUs often ask for, Deno starts no program under a list of them.
 */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { commandOf, pathInProject, readTasks, Workplace } from "../support/run_task_process.ts";
import { permitted } from "../support/permitted.ts";

/** All that Deno grants. */
const KINDS = ["read", "write", "net", "env", "run", "sys", "ffi"];

/** The tasks that may start programs: Deno itself, and in setup a package manager. */
const MAY_RUN = ["setup", "tune", "tune-mpi", "test", "bench", "bench-mpi", "quality", "soak", "playground"];

/** The tasks whose processes are ranks of MPI. */
const RANKS = ["train-mpi", "tune-mpi"];

/** What may be written, and by which tasks. */
const WRITES: [where: string, tasks: string[]][] = [
  ["=data", ["gen-data", "scale", "train", "train-mpi", "tune", "tune-mpi"]],
  // Where the user says; setup makes a link, which Deno does only where everything may be written.
  ["", ["predict", "evaluate", "export", "report", "playground", "bench", "quality", "setup"]],
  ["=coverage", ["test"]],
];

/** The tasks that may listen, and that on loopback alone: for a page. */
const MAY_LISTEN = ["train", "playground"];
const LOOPBACK = "--allow-net=127.0.0.1";

/** What Deno says of a permission that is missing. */
const NOT_CAPABLE = /NotCapable|Requires .* (access|permissions?)\b/i;

/** A typical use of a task. */
interface Use {
  args?: (elsewhere: string) => string[];
  /** What it says at its end, whatever its exit code; without it, another test has the task work with all of its own. */
  says?: RegExp;
  /** Files of the project that it stands among; the task's folder is that of the project then. */
  project?: string[];
  env?: Record<string, string>;
  /** Permissions that this use does not need. */
  unused?: string[];
}

/** With this no program could be started under a list. */
const DRIVERS = { LD_LIBRARY_PATH: "/nowhere" };

/** A rank alone, for which MPI starts no program of its own. */
const ALONE = { OMPI_MCA_ess_singleton_isolated: "1" };

/** A training of one epoch on a table elsewhere. */
const onOwn = (at: string) => ["--data", `${at}/own.csv`, "--target=y", "--num-epochs=1", "--members=1", "--folds=0"];
const SEARCH = ["--trials=1", "--seed=1|2"];

/** What `deno task setup` is made of. */
const SETUP = [
  "tasks/setup.ts",
  ...["prepare_machine", "open_mpi", "packages"].map((name) => `tasks/setup/${name}.ts`),
];

const USES: Record<string, Use> = {
  "gen-data": { args: () => ["--num-dataset=100", "--generate-dataset"], says: /^wrote data\/cubic.csv: 100 rows/m },
  scale: { args: (at) => ["--data", `${at}/own.csv`, "--target=y"], says: /: 36 training and validation/ },
  train: { args: (at) => [...onOwn(at), "--live"], says: /^live: http:[^]*^run: data\/runs\//m },
  "train-mpi": { args: (at) => [...onOwn(at), "--run-name=mpi"], says: /^run: data\/runs\/mpi$/m, env: ALONE },
  tune: { args: (at) => [...onOwn(at), ...SEARCH], says: /^best: data\/runs\//m, env: DRIVERS },
  "tune-mpi": {
    args: (at) => [...onOwn(at), ...SEARCH, "--run-name=mpi"],
    says: /^best: data\/runs\/mpi-001$/m,
    env: { ...DRIVERS, ...ALONE },
  },
  compare: { args: () => ["default_run", "default_run.1"], says: /^result, test /m },
  predict: {
    args: (at) => ["--input", `${at}/own.csv`, "--output", `${at}/out.csv`],
    says: /^wrote .*: 40 predictions/m,
  },
  evaluate: {
    args: (at) => ["--data", `${at}/xor.csv`, "--run-name=xor", "--confusion", `${at}/matrix.csv`],
    says: /^xor /m,
  },
  export: { args: (at) => ["--format=onnx", "--output", `${at}/model.onnx`], says: /^wrote .*model\.onnx/m },
  report: { args: (at) => ["--output", `${at}/report.html`], says: /^wrote .*report\.html/m },
  explain: { args: () => ["xor", "--repeats=1"], says: /^[0-9]+ training rows: loss /m },
  // Both work with all of their own in check/doctor_test.ts.
  // Without the environment the driver is slower and talks, and everything works.
  lesson: { args: () => ["1", "--solution"], says: /^export function /m, unused: ["--allow-env"] },
  gradcheck: { args: () => ["--hidden-size=2"] },
  doctor: {},
  playground: {
    args: (at) => ["--output", `${at}/page`],
    says: /^wrote .*: index\.html, playground\.css, playground\.js/m,
    // Serving the page goes on until Ctrl-C: playground_test does it, with the task's permissions.
    unused: ["--allow-net=127.0.0.1"],
  },
  quality: {
    args: () => ["--tables=iris", "--seeds=1", "--set=num-epochs=1"],
    says: /^iris +1 /m,
  },
  setup: {
    says: /^$/,
    project: ["deno.json", "deno.lock", ...SETUP],
    env: { ...DRIVERS, JSR_URL: "file:///nowhere/", NO_SETUP: "" },
    // Who runs it is asked only where an adapter is missing.
    unused: ["--allow-sys=uid"],
  },
  // In a project without tests, whose stages fail one by one.
  test: {
    says: /^tests: \d+ passed/m,
    project: [...SETUP, "tasks/test.ts", "tasks/gate/gate.ts", "tasks/gate/coverage.ts", "tasks/gate/sources.ts"],
    // Its stages would install what they miss.
    env: { NO_SETUP: "1" },
  },
};

/** Tasks whose every use takes minutes: their permissions are only read. */
const LONG = ["bench", "bench-mpi", "soak"];

/** Tasks of this project's makers that drive a browser: playwright-core reads in /proc, which only all permissions allow. */
const BROWSING = ["pictures"];

/** Refuses expressly what the flags do not allow. */
function denials(flags: readonly string[]): string[] {
  return KINDS.filter((kind) => !flags.some((flag) => flag.split("=")[0] === `--allow-${kind}`))
    .map((kind) => `--deny-${kind}`);
}

/** A run of a task's typical use under some flags. */
async function use(task: string, flags: readonly string[], place: Workplace, elsewhere: string): Promise<string> {
  const { args = () => [], project, env = {} } = USES[task];
  const { script } = await commandOf(task);
  await using copy = await Workplace.create({ "lib/a.ts": "", "tasks/offline_std/a.ts": "" });
  for (const name of project ?? []) await copy.write(name, await Deno.readTextFile(pathInProject(name)));
  const from = project ? [script] : ["--config", pathInProject("deno.json"), pathInProject(script)];
  const words = ["run", ...flags, ...denials(flags), ...from, ...args(elsewhere)];
  const { stdout, stderr } = await (project ? copy : place).runDeno(words, { NO_COLOR: "1", ...env });
  return stdout + stderr;
}

permitted("deno.json gives each task only known permissions, and those only where needed", async () => {
  for (const task of Object.keys(await readTasks())) {
    assert(task in USES || [...LONG, ...BROWSING].includes(task), `a task without a typical use here: ${task}`);
    if (BROWSING.includes(task)) continue;
    const { flags } = await commandOf(task);
    const of = (kind: string) => flags.filter((flag) => flag.includes(`-${kind}`));
    for (const flag of flags) {
      assertMatch(
        flag,
        /^--(no-prompt|no-lock|v8-flags=--expose-gc|allow-(read|write|sys)(=.+)?|allow-(env|run|ffi)|allow-net=127\.0\.0\.1)$/,
        `a flag of ${task}`,
      );
    }
    assert(flags.includes("--no-prompt"), `${task} would ask for what it is not given`);
    assertEquals(of("run"), MAY_RUN.includes(task) ? ["--allow-run"] : [], `${task} starts programs`);
    assertEquals(of("net"), MAY_LISTEN.includes(task) ? [LOOPBACK] : [], `${task} reaches out`);
    assertEquals(of("ffi"), RANKS.includes(task) ? ["--allow-ffi"] : [], `${task} calls other libraries`);
    assertEquals(of("sys"), ["setup", "bench-mpi"].includes(task) ? ["--allow-sys=uid"] : []);
    if (task === "soak") continue;
    const places = WRITES.filter(([_, tasks]) => tasks.includes(task));
    assertEquals(of("write"), places.map(([where]) => `--allow-write${where}`), task);
  }
});

permitted("each task misses each permission that is taken away, and works with all of its own", async (t) => {
  await using place = await Workplace.create();
  const rows = Array.from({ length: 40 }, (_, i) => `${i},${3 * i + 1}`);
  // Where a user may keep files of his own.
  await using elsewhere = await Workplace.create({
    "own.csv": ["x,y", ...rows].join("\n") + "\n",
    "xor.csv": "x1,x2,y\n0,0,0\n0,1,1\n",
  });
  await place.succeed("train", ["--recipe=xor", "--num-epochs=1", "--run-name=xor"]);
  await place.succeed("train", ["--num-dataset=100", "--num-epochs=1"]);
  for (const [task, { says, unused = [] }] of Object.entries(USES)) {
    const { flags } = await commandOf(task);
    for (const flag of flags.filter((flag) => flag.startsWith("--allow-") && !unused.includes(flag))) {
      // Less than everywhere is the folder in which the task runs.
      const less = /^--allow-(read|write)$/.test(flag) ? [`${flag}=.`] : [];
      await t.step(`${task} ${flag}`, async () => {
        const fewer = flags.flatMap((other) => other === flag ? less : [other]);
        const said = await use(task, fewer, place, elsewhere.path);
        assertMatch(said, NOT_CAPABLE);
        assertStringIncludes(said.toLowerCase(), flag.match(/[a-z]+(?==|$)/)![0]);
      });
    }
    if (!says) continue;
    await t.step(task, async () => {
      const said = await use(task, flags, place, elsewhere.path);
      assertEquals(said.match(NOT_CAPABLE)?.[0], undefined, said);
      assertMatch(said, says);
    });
  }
});
