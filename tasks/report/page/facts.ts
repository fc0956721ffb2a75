/** The data of a report. Names come from users' files and are made printable. */

import type { GradientCheck } from "../../../lib/check/gradcheck.ts";
import type { CurvePoint } from "../../../lib/evaluate/two_classes.ts";
import type { TableNotes } from "../../../lib/data/table_notes.ts";
import type { Explanation } from "../../explain/explain_model.ts";
import type { ModelCard } from "../../explain/model_card.ts";
import type { EpochPoint, LayerRecord } from "../../charts/charts.ts";
import type { ReliabilityBin } from "../../charts/class_charts.ts";
import type { Histogram, Pair } from "../../charts/data_charts.ts";
import type { DrawnLayer } from "../../charts/network_chart.ts";
import type { NamedConfusion } from "../../show/short_evaluation.ts";

/** How good the network is on one part of the data; names as in summary.json. */
export interface PartMeasures {
  readonly part: string;
  readonly rows: number;
  readonly loss: number;
  readonly measures: Readonly<Record<string, number>>;
  /** The same for the baseline: a constant prediction. */
  readonly baseline?: Readonly<Record<string, number>>;
  /** Of rows that members hold out in turn: each measure's mean over the folds, and its deviation. */
  readonly folds?: {
    readonly count: number;
    /** Measures that fewer folds have, each with their number, in words. */
    readonly fewer: readonly string[];
    readonly mean: Readonly<Record<string, number>>;
    readonly deviation: Readonly<Record<string, number>>;
  };
}

export interface ClassLine {
  readonly name: string;
  readonly rows: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

/** What is told of more classes than a matrix can show. */
export interface ManyClasses {
  /** How many there are; {@linkcode ReportFacts.classes} has only some. */
  readonly classes: number;
  /** How many pairs are confused. */
  readonly pairs: number;
  /** Those with the most rows. */
  readonly confusions: readonly NamedConfusion[];
}

/** Predictions for rows of the data. */
export interface Predictions {
  /** The part that the rows belong to, how many were predicted, and how many it has. */
  readonly part: string;
  readonly rows: number;
  readonly of: number;
  /** For numbers: a series for each target. */
  readonly pairs?: readonly { readonly name: string; readonly pairs: readonly Pair[] }[];
  /** For one input: its values, the actual rows by output, and the curves. */
  readonly fit?: Fit;
  readonly reliability?: { readonly bins: readonly ReliabilityBin[]; readonly what: string };
}

export interface Fit {
  readonly x: string;
  readonly y: string;
  readonly curves: readonly { readonly name: string; readonly places: readonly { x: number; y: number }[] }[];
  readonly rows: readonly (readonly { x: number; y: number }[])[];
}

interface ColumnFacts {
  readonly name: string;
  readonly role: "input" | "target";
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly deviation: number;
  readonly histogram?: Histogram;
  /** Of a column of categories, which has no numbers: how many they are, and the rows of each where they were counted. */
  readonly names?: number;
  readonly categories?: readonly { readonly name: string; readonly rows: number }[];
}

export interface DataFacts {
  readonly parts: readonly { readonly part: string; readonly rows: number }[];
  /** Rows that histograms were counted over. */
  readonly counted: number;
  readonly scaling: { readonly inputs: string; readonly targets: string };
  readonly columns: readonly ColumnFacts[];
  readonly classes?: readonly { readonly name: string; readonly rows: number }[];
}

/** Everything. A text says why something is missing. */
export interface ReportFacts {
  readonly run: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly device: string;
  readonly steps: number;
  readonly seconds: number;
  readonly stepsPerSecond: number;
  readonly version: string;
  readonly source?: string;
  readonly loss: string;
  readonly features: readonly string[];
  readonly targets: readonly string[];
  readonly layers: readonly DrawnLayer[];
  readonly points: readonly EpochPoint[];
  readonly bestEpoch?: number;
  /** How many networks the model has, each with a best epoch of its own. */
  readonly members: number;
  readonly layerRecords: readonly LayerRecord[];
  readonly parts: readonly PartMeasures[];
  /** Sentences on temperature, clipping and intervals. */
  readonly answers?: readonly string[];
  readonly confusion?: readonly (readonly number[])[];
  readonly classes?: readonly ClassLine[];
  /** The least probability that counts as the second of two classes, if it is not 0.5. */
  readonly threshold?: number;
  /** ROC and precision-recall curve of two classes. */
  readonly curve?: readonly CurvePoint[];
  /** Instead of the matrix. */
  readonly many?: ManyClasses;
  /** What was made of the table; a recipe has no notes. */
  readonly notes?: TableNotes;
  readonly data: DataFacts | string;
  readonly predictions: Predictions | string;
  /** Which columns matter; undefined where there is only one. */
  readonly explanation?: Explanation | string;
  readonly card?: ModelCard;
  readonly gradients: { readonly network: string; readonly lines: readonly GradientCheck[] } | string;
}
