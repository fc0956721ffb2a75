/** Describes a value that is not finite: what, where, in which rows, why, and what to do. */

import type { NotFiniteError } from "../../lib/base/errors.ts";
import type { Fault } from "../../lib/inspect/fault_finder.ts";
import type { TaskConfig } from "../settings/config.ts";

const MAX_ROWS = 8;

interface ColumnNames {
  readonly inputs: readonly string[];
  readonly targets: readonly string[];
}

/** Names of tensors in messages; `z1`, `a1` and the like are those of `--debug-tensors`. */
const WORDS: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/^x$/, "an input"],
  [/^y$/, "a target"],
  [/^loss$/, "the loss"],
  [/^grad_logits$/, "the gradient of the loss (grad_logits)"],
  [/^gradient norm$/, "the norm of the gradients, which CLIP_NORM needs,"],
  [/^grad_(weight|bias)_\d+$/, "the gradient of a $1 ($&)"],
  [/^gradients\.(.+)$/, "the gradient of $1"],
  [/^weights\.(.+)$/, "parameter $1"],
  [/^optimizer\.([^.]+)\.(.+)$/, "the optimizer's $1 of $2"],
  [/^[zad]\d+$/, "output $&"],
];

/** What to do, by kind of cause; RATE stands for the learning rate to try. */
const ADVICE: Record<Fault["cause"]["kind"], string> = {
  data: "correct or remove that row, and scale the data again",
  scale: "scale the data (SCALING_METHOD=standardize), or look for a wrong value in the data",
  rate: "LEARNING_RATE=RATE, some WARMUP, CLIP_NORM=1, or --on-nan halve-lr to continue with half the learning rate",
  overflow: "scale the data (SCALING_METHOD), or start from smaller weights",
  state: "start from weights that are finite",
  unseen: "check the rows that are not trained on; if they are sound, run deno task doctor: the device may be wrong",
  unknown: "a smaller LEARNING_RATE, CLIP_NORM=1, or --on-nan halve-lr to continue with half the learning rate",
};

/** Two to four lines; the first says what and where. */
export function formatFault(fault: Fault, names?: ColumnNames): string[] {
  const { step, epoch, rows, cause } = fault;
  const shown = `${[...rows.subarray(0, MAX_ROWS)].join(", ")}${rows.length > MAX_ROWS ? ", ..." : ""}`;
  return [
    `${subjectOf(fault)} is ${fault.value ?? "not finite"} at step ${step} of epoch ${epoch}${placeOf(fault, names)}`,
    ...rows.length > 0 ? [`batch: training rows ${shown} (${rows.length} ${rows.length === 1 ? "row" : "rows"})`] : [],
    `likely cause: ${cause.kind === "unknown" ? `not known: ${cause.text}` : cause.text}`,
    `what to do: ${ADVICE[cause.kind].replace("=RATE", `=${cause.rate}`)}`,
  ];
}

/**
 * Adds advice to an error of several processes. Its cause is found by taking the steps again, which one process cannot do
 * without the others.
 */
export function adviseRanks(error: NotFiniteError, { runName, syncEvery }: TaskConfig): NotFiniteError {
  error.message += "\nwhat to do: a lower LEARNING_RATE usually helps";
  if (syncEvery === 1) {
    error.message +=
      `; \`deno task train --resume ${runName} --force\` continues in one process from the last checkpoint, and ` +
      "says which tensor, layer and rows are the cause";
  }
  return error;
}

function subjectOf({ tensor, layer, member }: Fault): string {
  const known = WORDS.find(([pattern]) => pattern.test(tensor));
  const words = known ? tensor.replace(known[0], known[1]) : `the ${tensor}`;
  const ofLayer = layer ? `${words} of layer ${layer.number} (${layer.kind})` : words;
  return member === undefined ? ofLayer : `${ofLayer}, of member ${member},`;
}

/** The row and the column, if the tensor has them. */
function placeOf({ tensor, row, at = [] }: Fault, names?: ColumnNames): string {
  const known = tensor === "x" ? names?.inputs : tensor === "y" ? names?.targets : undefined;
  const column = at.at(-1) ?? 0;
  const name = known?.[column];
  if (row === undefined) return at.length > 0 ? `, first at [${at.join(", ")}]` : "";
  return `, in training row ${row}, ${name === undefined ? `column ${column}` : `column ${JSON.stringify(name)}`}`;
}
