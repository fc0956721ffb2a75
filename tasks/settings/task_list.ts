/** The tasks that read settings: what each does, and what its command line takes. */

import type { Key } from "./config_types.ts";
import { ALLOWED_FORMATS, formatFaults } from "./export_formats.ts";
import { GROUP_KEYS, SETTINGS, TABLE_KEYS, TRAINING_KEYS } from "./keys.ts";

/** A flag that is no setting. */
interface Extra {
  meaning: string;
  /** What it may be, in words. */
  allowed: string;
  isBoolean?: true;
  /** What is wrong with its text, which may be missing; knows what else is wrong with the command line. */
  faults?: (text: string | undefined, faults: readonly string[]) => string[];
}

/** What a task takes. */
export interface Task {
  summary: string;
  keys: readonly Key[];
  /** Flags that are no settings. */
  extras?: Record<string, Extra>;
  takesNumbers?: true;
  /** What these words are, for the help. */
  words?: string;
}

/** A flag that says yes or no. */
function switchOf(name: string, meaning: string): Extra {
  const allowed = "true or false";
  return {
    meaning,
    allowed,
    isBoolean: true,
    faults: (text) =>
      [undefined, "true", "false"].includes(text)
        ? []
        : [`--${name} is ${JSON.stringify(text)}: allowed is ${allowed}`],
  };
}

/** Settings of making a dataset, and of scaling one. */
const GENERATING: readonly Key[] = ["RECIPE", "GENERATE_DATASET", "NUM_DATASET", "NOISE", "SEED"];
const SCALING: readonly Key[] = ["RECIPE", ...TABLE_KEYS, "SCALING_METHOD", "LOSS", "SPLIT", "SEED"];

/** Going on with a run. */
const RESUMING = {
  RESUME: {
    meaning: "goes on with the run of this name, with the settings it has, from its last checkpoint",
    allowed: SETTINGS.RUN_NAME.allowed,
    faults: (text) =>
      text === undefined || SETTINGS.RUN_NAME.parse(text) !== undefined
        ? []
        : [`--resume is ${JSON.stringify(text)}: allowed is ${SETTINGS.RUN_NAME.allowed}`],
  },
  FORCE: switchOf("force", "resume though settings, data or device are others, where that can be (false)"),
} satisfies Task["extras"];

/** How much a run prints. */
const VIEWING = {
  QUIET: switchOf("quiet", "print nothing but warnings and errors (false)"),
  JSON: switchOf("json", "print what happens as JSON, an object a line (false)"),
} satisfies Task["extras"];

/** The tasks that read settings. */
export const TASKS = {
  "gen-data": {
    summary: "writes data/<recipe>.csv",
    keys: GENERATING,
  },
  scale: {
    summary: "splits and scales data/<recipe>.csv, or --data, into data/<name>.scaled.safetensors",
    keys: SCALING,
  },
  train: {
    summary: "trains a network on --data, or on a recipe's dataset, made and scaled first where needed",
    keys: TRAINING_KEYS,
    extras: {
      ...RESUMING,
      ...VIEWING,
      LIVE: {
        meaning: "show the run on a page of this machine while it trains, with pause, stop and learning rate (false)",
        allowed: "true, false, or the port to listen on, from 1024 to 65535; true takes one that is free",
        isBoolean: true,
        faults: (text) =>
          [undefined, "true", "false"].includes(text) || (/^\d{4,5}$/.test(text!) && +text! >= 1024 && +text! <= 65_535)
            ? []
            : [`--live is ${JSON.stringify(text)}: allowed is true, false, or a port from 1024 to 65535`],
      },
    },
  },
  "train-mpi": {
    summary: "trains as train does, on the ranks of an MPI job, each with its share of every batch",
    keys: [...TRAINING_KEYS, ...GROUP_KEYS],
    extras: { ...RESUMING, ...VIEWING },
  },
  tune: {
    summary: "searches for settings: trains --trials runs, each with values drawn from the ranges that flags give",
    keys: [...TRAINING_KEYS, "TRIALS"],
  },
  "tune-mpi": {
    summary: "searches as tune does, on the ranks of an MPI job: a rank that is free takes the next trial",
    keys: [...TRAINING_KEYS, "TRIALS", "RANK_TIMEOUT"],
  },
  compare: {
    summary: "lays runs side by side: settings that differ, curves of their losses, how they ended",
    keys: [],
    extras: {
      JSON: switchOf("json", "print everything as JSON (false)"),
    },
    takesNumbers: true,
    words: "RUN RUN [RUN ...]",
  },
  predict: {
    summary: "predicts from a trained run, in raw units",
    keys: ["RUN_NAME"],
    extras: {
      INPUT: {
        meaning: "CSV file with the input columns, or a folder of them; - for JSON lines from stdin",
        allowed: "a path, or -",
      },
      OUTPUT: { meaning: "file that gets the predictions", allowed: "a path" },
      ROW: { meaning: "a row, answered in JSON", allowed: 'JSON by column, such as {"x": 3}' },
    },
    takesNumbers: true,
    words: "[numbers, or column=cell ...]",
  },
  evaluate: {
    summary: "measures a trained run on new rows whose target is known",
    keys: ["RUN_NAME"],
    extras: {
      DATA: { meaning: "CSV file with the input and target columns, or a folder of them", allowed: "a path" },
      JSON: { meaning: "print all measures as JSON (false)", allowed: "true or false", isBoolean: true },
    },
  },
  export: {
    summary: "writes a trained run as a model for other programs",
    keys: ["RUN_NAME"],
    extras: {
      FORMAT: { meaning: "what the model is written as (needed)", allowed: ALLOWED_FORMATS, faults: formatFaults },
      OUTPUT: {
        meaning: "file that gets the model (in the run's folder: model.onnx, model.py or model.ts)",
        allowed: "a path",
      },
    },
  },
  report: {
    summary: "writes the report of a run anew: one HTML file, its charts as SVG where asked for",
    keys: ["RUN_NAME"],
    extras: {
      SVG: { meaning: "folder that gets each chart as a file of its own", allowed: "a path" },
      OUTPUT: { meaning: "file that gets the report (report.html in the run's folder)", allowed: "a path" },
    },
    takesNumbers: true,
    words: "[run]",
  },
  gradcheck: {
    summary: "compares every backward pass with finite differences, and the GPU with float64",
    keys: ["SEED", "HIDDEN_SIZE"],
  },
  playground: {
    summary: "serves a page that trains in the browser, on this machine alone",
    keys: [],
    extras: {
      PORT: { meaning: "port of 127.0.0.1 (a free one)", allowed: "a whole number from 0 to 65535" },
      OUTPUT: { meaning: "folder that gets the page as files, in the place of serving it", allowed: "a path" },
    },
  },
  doctor: { summary: "prints the adapter and compares every kernel with the float64 reference", keys: [] },
} as const satisfies Record<string, Task>;

/** Name of a task that reads settings. */
export type TaskName = keyof typeof TASKS;
