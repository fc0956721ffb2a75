/** What becomes of the outputs of a graph's members, in float64: small probabilities keep their digits. */

import type { ExportedModel, ExportedOutput } from "./exported_model.ts";
import type { OnnxGraph } from "./onnx_format.ts";
import { row } from "./onnx_layers.ts";
import { unscale } from "./onnx_scaling.ts";

/** Inputs and outputs besides the categorical columns; if one of those has the name, an underscore is added. */
export const NAMES = ["numeric", "prediction", "label", "probabilities"] as const;

export type Names = Record<typeof NAMES[number], string>;

type Output<Kind> = Extract<ExportedOutput, { kind: Kind }>;

/** Makes outputs of what the members put out: [members, N, outputs], of a single one [N, outputs]. */
export function addOutputs(graph: OnnxGraph, x: string, model: ExportedModel, names: Names): void {
  const { output, members: { length: members } } = model;
  const outputs = graph.cast(x, "double");
  if (output.kind === "classes") return addClasses(graph, addShares(graph, outputs, members, output), output, names);
  const raw = output.kind === "numbers"
    ? addNumbers(graph, outputs, members, output)
    : addProbabilities(graph, outputs, members, output);
  graph.output(names.prediction, raw, "double", [output.names.length]);
}

function addNumbers(graph: OnnxGraph, x: string, members: number, { scalings, ranges }: Output<"numbers">): string {
  const raw = unscale(graph, mean(graph, x, members), scalings);
  if (!ranges) return raw;
  const least = row(graph, Float64Array.from(ranges, ({ min }) => min));
  const most = row(graph, Float64Array.from(ranges, ({ max }) => max));
  return graph.add("Max", [graph.add("Min", [raw, most]), least]);
}

function addProbabilities(graph: OnnxGraph, x: string, members: number, output: Output<"probabilities">): string {
  const { temperature = 1 } = output;
  const own = (logits: string) => mean(graph, addSigmoid(graph, logits), members);
  if (temperature === 1) return own(x);
  if (members === 1) return addSigmoid(graph, cool(graph, x, temperature));
  const [yes, no] = [x, graph.add("Neg", [x])].map((logits) => graph.add("Log", [own(logits)]));
  return addSigmoid(graph, cool(graph, graph.add("Sub", [yes, no]), temperature));
}

/** 1 / (1 + exp(-x)): the operator Sigmoid of the ONNX runtime has an error of 1e-7, too much for small probabilities. */
function addSigmoid(graph: OnnxGraph, x: string): string {
  const one = row(graph, Float64Array.of(1));
  return graph.add("Div", [one, graph.add("Add", [graph.add("Exp", [graph.add("Neg", [x])]), one])]);
}

/** The probabilities of classes [N, classes]. */
function addShares(graph: OnnxGraph, x: string, members: number, output: Output<"classes">): string {
  const { outputs, temperature = 1 } = output;
  const softmax = (logits: string) => graph.add("Softmax", [logits], { axis: { i: -1 } });
  // A sigmoid is the softmax of both halves, which gives both probabilities equally exactly.
  const logits = outputs === 1 ? graph.add("Mul", [x, row(graph, Float64Array.of(-0.5, 0.5))]) : x;
  if (temperature === 1) return mean(graph, softmax(logits), members);
  if (members === 1) return softmax(cool(graph, logits, temperature));
  return softmax(cool(graph, graph.add("Log", [mean(graph, softmax(logits), members)]), temperature));
}

function addClasses(graph: OnnxGraph, shares: string, { classes, threshold }: Output<"classes">, names: Names): void {
  let winner: string;
  if (threshold === undefined) {
    winner = graph.add("ArgMax", [shares], { axis: { i: 1 }, keepdims: { i: 0 } });
  } else {
    const second = graph.add("Gather", [shares, graph.constant([], BigInt64Array.of(1n))], { axis: { i: 1 } });
    const isSecond = graph.add("GreaterOrEqual", [second, graph.constant([], Float64Array.of(threshold))]);
    winner = graph.cast(isSecond, "int64");
  }
  graph.output(names.label, graph.add("Gather", [graph.constant([classes.length], classes), winner]), "string", []);
  graph.output(names.probabilities, graph.cast(shares, "float"), "float", [classes.length]);
}

function cool(graph: OnnxGraph, logits: string, temperature: number): string {
  return graph.add("Div", [logits, row(graph, Float64Array.of(temperature))]);
}

function mean(graph: OnnxGraph, x: string, members: number): string {
  if (members === 1) return x;
  return graph.add("ReduceMean", [x, graph.constant([1], BigInt64Array.of(0n))], { keepdims: { i: 0 } });
}
