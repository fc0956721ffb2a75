/** The model card of a run (Mitchell et al., "Model Cards for Model Reporting", 2019): short, in plain English. */

import { visible } from "../../lib/base/printable.ts";
import type { SavedModel } from "../../lib/model_file/saved_model.ts";
import { listNames } from "../prepare/typed_names.ts";
import { PART_NAMES, PARTS } from "../prepare/split.ts";
import { firstRows, type JudgedRows, type RunRows } from "../runs/run_rows.ts";
import { type Key, KEYS, presetOf, settingOf, SETTINGS } from "../settings/settings.ts";
import { MEASURE_NAMES } from "../show/measure_names.ts";
import { formatNumber } from "../show/text_table.ts";
import type { Explanation } from "./explain_model.ts";
import { leakText } from "./leak.ts";
import { type Score, scoreOf } from "./score.ts";
import { untestedLines } from "./untested.ts";

/** Most lines of a list; summary.json has all. */
const MOST_LINES = 20;
const MOST_COLUMNS = 5;

/** Digits of a measure. */
const DIGITS = 4;

/** Settings that the card tells elsewhere, and those that do not change the model. */
const TOLD: readonly Key[] = ["DATA", "TARGET", "RECIPE", "RUN_NAME", "SEED", "GENERATE_DATASET"];
const WITHOUT_EFFECT = KEYS.filter((key) => settingOf(key).group === "view" || settingOf(key).group === "run");

/** A heading and sentences below it. */
interface CardSection {
  readonly title: string;
  readonly lines: readonly string[];
}

export interface ModelCard {
  readonly run: string;
  readonly lead: string;
  readonly sections: readonly CardSection[];
}

interface CardRequest {
  readonly run: string;
  readonly saved: SavedModel;
  readonly dataset: RunRows;
  readonly explanation: Explanation;
  /** Sentences on what is done to the network's outputs, and on its intervals. */
  readonly answers: readonly string[];
  /** When the model was written. */
  readonly written: Date;
  readonly device: string;
}

export async function modelCard(request: CardRequest): Promise<ModelCard> {
  const { run, saved, dataset, explanation } = request;
  const { table: { target, inputs }, seed = 42 } = saved.description;
  const judged = firstRows(dataset, ["test", "validation", "train"])!;
  const score = await scoreOf(saved, judged, seed);
  const what = target.kind === "numeric"
    ? listNames(target.names)
    : `${listNames([target.name])} (${some(target.classes.map((name) => listNames([name])), ", ")})`;
  const order = explanation.columns.map(({ column }) => column);
  const untested = await untestedLines(saved, dataset, order, score.evaluation.perClass);
  const sections = [
    { title: "Data", lines: dataLines(request) },
    { title: "Left out and filled in", lines: noteLines(saved) },
    { title: "How good it is", lines: [...scoreLines(score, judged), ...request.answers] },
    { title: "Which columns matter", lines: columnLines(explanation) },
    { title: "What it was not tested on", lines: untested },
    { title: "How it was made", lines: makingLines(request) },
  ];
  return {
    run,
    lead: `Predicts ${what} from ${inputs.length} ${inputs.length === 1 ? "column" : "columns"}.`,
    sections: sections.filter(({ lines }) => lines.length > 0),
  };
}

function dataLines({ saved: { description }, dataset: { parts, folds, madeOf } }: CardRequest): string[] {
  const { source, settings: { RECIPE, TIME_COLUMN, VALIDATION, TEST, SPLIT } } = description;
  const counts = folds
    ? [`${parts.train.rows} training and validation`, `${parts.test.rows} test`]
    : PARTS.map((name) => `${parts[name].rows} ${PART_NAMES[name]}`);
  const files = [VALIDATION && "the validation rows", TEST && "the test rows"].filter(Boolean).join(" and ");
  const how = TIME_COLUMN
    ? `they are split by ${listNames([TIME_COLUMN])}: the earliest train, the latest test`
    : files
    ? `${files} are files of their own`
    : `they are split at random, by the shares ${SPLIT}`;
  return [
    source
      ? `Trained on ${source.name}, SHA-256 ${source.sha256}.`
      : `Trained on ${RECIPE ? `the recipe ${RECIPE}` : madeOf}.`,
    `Rows: ${counts.join(", ")}; ${how}.`,
    ...folds
      ? [
        `The training and validation rows are cut into ${folds.count} folds. Each of the ${folds.members} members ` +
        "holds out one of them, and trains on the others.",
      ]
      : [],
  ];
}

function noteLines({ description: { notes } }: SavedModel): string[] {
  if (!notes) return [];
  const left = notes.columns.filter(({ as }) => as === "left out")
    .map(({ name, holds }) => `${listNames([name])} is left out: ${holds}.`);
  const lines = [...left, ...notes.notes.map((note) => `${note}.`)];
  if (lines.length === 0) return ["Nothing was left out or filled in."];
  const rest = lines.length - MOST_LINES;
  return rest > 0 ? [...lines.slice(0, MOST_LINES), `${rest} more notes are in summary.json.`] : lines;
}

function scoreLines({ rows, of, resamples, measures }: Score, { part, name, folds }: JudgedRows): string[] {
  const which = rows === of ? `${rows} ${name} rows` : `${rows} of ${of} ${name} rows`;
  const lines = measures.map(({ name, value, low, high, baseline }) => {
    const trivial = baseline === undefined || Number.isNaN(baseline) ? "" : `; the baseline reaches ${short(baseline)}`;
    const interval = Number.isNaN(low) || low === high ? "" : `, 95% interval ${short(low)} to ${short(high)}`;
    return `${MEASURE_NAMES[name]} ${short(value)} on ${which}${interval}${trivial}.`;
  });
  if (folds) {
    lines.push(
      "There are no test rows. Each row is predicted by the members that held it out. These rows decided which of a " +
        "member's epochs is kept, which makes the measures a little too good; the mean of all members is mostly better.",
    );
  } else if (part === "validation") {
    lines.push(
      "There are no test rows. Validation rows decided when training ended, so the measures are a little too good.",
    );
  }
  if (part === "train") {
    lines.push("There are no other rows than those it was trained on: new rows will be predicted worse.");
  }
  if (measures.length > 0) {
    lines.push(
      `The intervals come from ${resamples} bootstrap samples of these rows. They hold for rows like these, ` +
        "not for rows of another kind or time.",
    );
  }
  return lines;
}

function columnLines({ columns, part, rows, repeats, leak }: Explanation): string[] {
  const lines = columns.slice(0, MOST_COLUMNS).map(({ column, loss: { mean, deviation } }) =>
    `${listNames([column])}: the loss rises by ${short(mean)} (deviation ${short(deviation)}) if it is shuffled.`
  );
  const rest = columns.length - lines.length;
  return [
    ...leak ? [`Warning: ${leakText(leak)}.`] : [],
    ...lines,
    `Measured on ${rows} ${part} rows, ${repeats} shuffles each${
      rest > 0 ? `; ${rest} more ${rest === 1 ? "column matters" : "columns matter"} less` : ""
    }.`,
  ];
}

function makingLines({ saved: { model, description }, written, device }: CardRequest): string[] {
  const { versions, seed, loss, settings, output = {} } = description;
  const suits = settings.DATA ? "DATA" : SETTINGS.RECIPE.parse(settings.RECIPE ?? "") ?? "DATA";
  const changed = KEYS.filter((key) => key in settings && !TOLD.includes(key) && !WITHOUT_EFFECT.includes(key))
    .filter((key) => settings[key] !== presetOf(key, suits)).map((key) => `${key}=${settings[key]}`);
  const values = model.parameters.reduce((sum, { parameter }) => sum + parameter.value.size, 0);
  const { threshold } = output;
  const members = model.members > 1 ? ` in ${model.members} members, whose predictions are averaged` : "";
  return [
    `By Backhand ${versions?.backhand} and Deno ${versions?.deno} on ${device}, ${written.toISOString().slice(0, 10)}.`,
    `A network of ${values} parameters${members}, trained with the loss ${loss.kind} and the seed ${seed}.`,
    ...threshold === undefined
      ? []
      : [`From a probability of ${short(threshold)} on, a row counts as the second class.`],
    changed.length > 0
      ? `Settings other than the defaults: ${changed.join(", ")}.`
      : "All settings have their default values.",
  ];
}

function some(texts: readonly string[], between: string): string {
  const rest = texts.length - MOST_LINES;
  return rest > 0 ? `${texts.slice(0, MOST_LINES).join(between)} and ${rest} more` : texts.join(between);
}

function short(value: number): string {
  return formatNumber(Number(value.toPrecision(DIGITS)));
}

/** A card as Markdown. Names from a table must not become markup. */
export function cardMarkdown({ run, lead, sections }: ModelCard): string {
  const plain = (text: string) => visible(text).replaceAll(/[\\`*[\]<>|&#]/g, "\\$&");
  const parts = sections.map(({ title, lines }) =>
    `## ${title}\n\n${lines.map((line) => `- ${plain(line)}\n`).join("")}`
  );
  return [`# Model card: ${plain(run)}\n\n${plain(lead)}\n`, ...parts].join("\n");
}
