/** The tasks that read settings: what each does, and what its command line takes besides settings. */

import { closest } from "fastest-levenshtein";
import type { Group, TaskName } from "./settings.ts";
import { choice, COLUMNS, LEVEL, type Reader, RUN_NAME, text, THRESHOLD, whole, YES_OR_NO } from "./readers.ts";

/** A flag that is no setting: it says nothing about what is trained. */
interface Extra {
  readonly group: Group;
  readonly meaning: string;
  readonly reader: Reader<unknown>;
  /** Whether the task cannot do without. */
  readonly isNeeded?: true;
}

interface Task {
  readonly summary: string;
  /** Command lines that it is used with, without `deno task`. */
  readonly examples: readonly string[];
  readonly extras?: Readonly<Record<string, Extra>>;
  /** Whether it takes words besides flags. */
  readonly takesWords?: true;
}

const FORMATS = ["onnx", "pytorch", "ts"] as const;

export type Format = typeof FORMATS[number];

const PATH: Reader<string> = { ...text("a path"), parse: (path) => path === "" ? undefined : path };

/** To continue a run. */
const RESUMING: Task["extras"] = {
  RESUME: extra("run", RUN_NAME, "continue the run of this name from its last checkpoint"),
  FORCE: extra("run", YES_OR_NO, "resume even if settings, data or device have changed, if possible (false)"),
};

const AS_JSON: Extra = extra("view", YES_OR_NO, "print everything as JSON (false)");

const CLASS_THRESHOLD: Extra = extra(
  "data",
  THRESHOLD,
  "probability from which a row is of class two (as trained)",
);

/** How much a run prints. */
const VIEWING: Task["extras"] = {
  QUIET: extra("view", YES_OR_NO, "print only warnings and errors (false)"),
  JSON: extra("view", YES_OR_NO, "print all that happens as JSON, one object a line (false)"),
};

/** Whether a page follows a run, or at which port. */
const PAGE: Reader<unknown> = {
  allowed: "true, false, or a port from 1024 to 65535",
  short: "",
  parse: (text) => YES_OR_NO.parse(text) ?? (/^\d{4,5}$/.test(text) ? whole(1024, 65_535).parse(text) : undefined),
  isBoolean: true,
};

export const TASKS: Readonly<Record<TaskName, Task>> = {
  "gen-data": {
    summary: "makes a recipe's dataset, data/<recipe>.csv",
    examples: ["gen-data", "gen-data --recipe linear --noise 0.5", "gen-data --num-dataset 1000000 --seed 7"],
  },
  scale: {
    summary: "splits and scales a dataset, a recipe's or your own: data/<name>.scaled.safetensors",
    examples: ["scale", "scale --data houses.csv --target price", "scale --data houses.csv --target price --json"],
    extras: { JSON: AS_JSON },
  },
  train: {
    summary: "trains a network on your CSV file, or on a recipe's dataset",
    examples: ["train", "train --data houses.csv --target price --run-name houses", "train --resume houses"],
    extras: {
      ...RESUMING,
      LIVE: extra("view", PAGE, "follow and control the run on a local page; --live 8000 sets its port (false)"),
      ...VIEWING,
    },
  },
  "train-mpi": {
    summary: "trains as train does, on the ranks of an MPI job: several processes together",
    examples: [
      "train-mpi --recipe cubic --batch-size 4000",
      "train-mpi --data houses.csv --target price --sync-every 16",
      "train-mpi --resume houses",
    ],
    extras: { ...RESUMING, ...VIEWING },
  },
  tune: {
    summary: "searches for settings: trains runs with values drawn from the ranges that flags give",
    examples: [
      "tune --trials 20 --learning-rate 1e-4..1e-1:log",
      'tune --data houses.csv --target price --hidden-size "32|64|128,64"',
      "tune --recipe cubic --dropout 0..0.5 --batch-size 16..256",
    ],
  },
  "tune-mpi": {
    summary: "searches as tune does, on the ranks of an MPI job, a trial each at a time",
    examples: [
      "tune-mpi --trials 20 --learning-rate 1e-4..1e-1:log",
      'tune-mpi --data houses.csv --target price --hidden-size "32|64|128,64"',
      "tune-mpi --trials 100 --dropout 0..0.5 --rank-timeout 1h",
    ],
  },
  compare: {
    summary: "compares runs: settings that differ, curves of their losses, how they ended",
    examples: ["compare narrow wide", "compare narrow wide wider", "compare narrow wide --json"],
    extras: { JSON: AS_JSON },
    takesWords: true,
  },
  predict: {
    summary: "predicts with a trained run, in the units of the data",
    examples: [
      "predict 12.5 -40",
      "predict --run-name cars year=1982 fuel=diesel",
      "predict --input new.csv --output predicted.csv --interval 0.9",
    ],
    extras: {
      INPUT: extra(
        "data",
        PATH,
        "CSV file with the input columns, or a folder of them; - for stdin: JSON lines or CSV",
      ),
      KEEP: extra("data", COLUMNS, "columns to carry to the output, such as an id: A,B"),
      INTERVAL: extra("data", LEVEL, "share of new rows that intervals, or sets of classes, shall hold, such as 0.9"),
      ROW: extra("data", text("JSON by column"), "one row in JSON, such as '{\"x\": 3}', answered in JSON"),
      OUTPUT: extra("data", PATH, "file to write the predictions to"),
      THRESHOLD: CLASS_THRESHOLD,
    },
    takesWords: true,
  },
  evaluate: {
    summary: "measures a trained run on new rows whose target is known",
    examples: [
      "evaluate --data new.csv",
      "evaluate --data new.csv --run-name cars",
      "evaluate --data new.csv --run-name cars --json",
    ],
    extras: {
      DATA: extra("data", PATH, "CSV file with input and target columns, or a folder of them"),
      CONFUSION: extra("data", PATH, "CSV file to write the whole confusion matrix to: a line for each actual class"),
      THRESHOLD: CLASS_THRESHOLD,
      INTERVAL: extra("data", LEVEL, "measure intervals of that level, or sets of classes, such as 0.9"),
      JSON: AS_JSON,
    },
  },
  export: {
    summary: "writes a trained run as a model for other programs",
    examples: [
      "export --format onnx",
      "export --format pytorch --run-name cars --output ../service/model.py",
      "export --format ts --output ../page/model.ts",
    ],
    extras: {
      FORMAT: { ...extra("data", choice(...FORMATS), "how to write the model (needed)"), isNeeded: true },
      OUTPUT: extra("data", PATH, "file to write the model to (in the run's folder: model.onnx, model.py or model.ts)"),
    },
  },
  report: {
    summary: "writes the report of a run again: one HTML file, its charts as SVG if asked for",
    examples: ["report", "report narrow", "report narrow --svg figures --output narrow.html"],
    extras: {
      SVG: extra("data", PATH, "folder to write each chart to, as a file of its own"),
      OUTPUT: extra("data", PATH, "file to write the report to (report.html in the run's folder)"),
    },
    takesWords: true,
  },
  explain: {
    summary: "says which columns of a run matter, and what it predicts by them",
    examples: ["explain", "explain cars", "explain cars --repeats 20 --json"],
    extras: {
      REPEATS: extra("run", whole(1, 1_000), "how often each column is shuffled, from 1 to 1000 (5)"),
      JSON: AS_JSON,
    },
    takesWords: true,
  },
  lesson: {
    summary: "teaches backpropagation in nine lessons; alone it lists them",
    examples: ["lesson", "lesson 3", "lesson 3 --check"],
    extras: {
      CHECK: extra("run", YES_OR_NO, "judge the exercise, and say what is wrong (false)"),
      HINT: extra("run", YES_OR_NO, "show a hint; --hint 2 shows the second (false)"),
      SOLUTION: extra("run", YES_OR_NO, "show how the exercise is done (false)"),
    },
    takesWords: true,
  },
  gradcheck: {
    summary: "compares each backward pass with finite differences, and the GPU with float64",
    examples: ["gradcheck", "gradcheck --hidden-size 64,32", "gradcheck --seed 7"],
  },
  playground: {
    summary: "serves a page that trains in the browser, to this machine only",
    examples: ["playground", "playground --port 8000", "playground --output folder"],
    extras: {
      PORT: extra("run", text("a whole number from 0 to 65535"), "port of 127.0.0.1 (a free one)"),
      OUTPUT: extra("data", PATH, "folder to write the page to as files, instead of serving it"),
    },
  },
  doctor: {
    summary: "prints the adapter and compares every kernel with the float64 reference",
    examples: ["doctor"],
  },
};

function extra(group: Group, reader: Reader<unknown>, meaning: string): Extra {
  return { group, reader, meaning };
}

/** What is wrong with the text of a flag that is no setting. */
export function extraFaults(flag: string, { reader, isNeeded }: Extra, text: string | undefined): string[] {
  const allowed = `allowed is ${reader.allowed}`;
  if (text === undefined) return isNeeded ? [`${flag} is missing: ${allowed}`] : [];
  if (reader.parse(text) !== undefined) return [];
  // The word for ts is nearer to pytorch than to it.
  const nearest = closest(text.toLowerCase(), [...FORMATS, "typescript"]).replace("typescript", "ts");
  return [`${flag} is ${JSON.stringify(text)}: ${allowed}${isNeeded ? `; the nearest is ${nearest}` : ""}`];
}
