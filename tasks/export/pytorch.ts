/** A model as a Python file for PyTorch, and the weights for the file next to it. */

import { type ExportedLayer, type ExportedModel, type ExportedOutput, indent, literal } from "./exported_model.ts";
import { columnsOf, encodingOf } from "./pytorch_cells.ts";

/** Weights as PyTorch names and shapes them. */
type TorchWeights = Record<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>;

/** The weights under the names of the module's `state_dict`; a weight is [out, in] there. */
export function torchWeights({ layers }: ExportedModel): TorchWeights {
  const weights: TorchWeights = {};
  layers.forEach((layer, i) => {
    if (layer.kind !== "Linear") return;
    const { inputs, outputs, weight, bias } = layer;
    const transposed = Float32Array.from(weight, (_, at) => weight[(at % inputs) * outputs + Math.floor(at / inputs)]);
    weights[`layers.${i}.weight`] = { shape: [outputs, inputs], data: transposed };
    weights[`layers.${i}.bias`] = { shape: [outputs], data: bias };
  });
  return weights;
}

export function writePython(model: ExportedModel, weightsName: string): string {
  return [
    `"""The network of the run ${model.name}, trained by Backhand.

Needs the packages torch and safetensors. A row is a dict of raw columns, a prediction is a dict in raw units:

    network = load()
    predict(network, [row, row])

As a program it reads one JSON row per line and prints one prediction per line.
"""

import datetime
import json
import math
import re
import sys
from decimal import Decimal
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

WEIGHTS = Path(__file__).with_name(${literal(weightsName)})
`,
    constantsOf(model),
    moduleOf(model),
    encodingOf(model),
    PREDICT,
    outputOf(model.output),
    MAIN,
  ].join("\n\n");
}

function constantsOf(model: ExportedModel): string {
  const { scalings, output } = model;
  const list = (name: string, values: readonly number[]) => `${name} = ${literal(values)}\n`;
  const targets = output.kind === "classes"
    ? `CLASSES = ${literal(output.classes)}\n`
    : `TARGETS = ${literal(output.names)}\n`;
  return `${columnsOf(model)}
# scaled = (raw - shift) / factor, for each encoded column\n` +
    list("SHIFT", scalings.map(({ shift }) => shift)) + list("FACTOR", scalings.map(({ factor }) => factor)) +
    targets + (output.kind === "numbers"
      ? list("TARGET_SHIFT", output.scalings.map(({ shift }) => shift)) +
        list("TARGET_FACTOR", output.scalings.map(({ factor }) => factor))
      : "");
}

function moduleOf({ layers, scalings }: ExportedModel): string {
  return `class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
${indent(layers.map((layer) => `${torchLayer(layer)},`), 12)}        )

    def forward(self, x):
        """The last layer's output for encoded and scaled rows [batch, ${scalings.length}]."""
        return self.layers(x)


def load(path=WEIGHTS):
    """The network with its trained weights."""
    network = Network()
    network.load_state_dict(load_file(path))
    return network.eval()
`;
}

function torchLayer(layer: ExportedLayer): string {
  switch (layer.kind) {
    case "Linear":
      return `nn.Linear(${layer.inputs}, ${layer.outputs})`;
    case "LeakyReLU":
      return `nn.LeakyReLU(${layer.slope})`;
    case "GELU":
      return `nn.GELU(approximate="tanh")`;
    case "Dropout":
      return `nn.Dropout(${layer.rate})`;
    default:
      return `nn.${layer.kind}()`;
  }
}

const PREDICT = `def predict(network, rows):
    """A prediction for each row."""
    raw = torch.tensor([encode(row) for row in rows], dtype=torch.float64)
    scaled = (raw - torch.tensor(SHIFT, dtype=torch.float64)) / torch.tensor(FACTOR, dtype=torch.float64)
    with torch.no_grad():
        return to_raw(network(scaled.float()).double())
`;

function outputOf(output: ExportedOutput): string {
  if (output.kind === "classes") {
    const logits = output.outputs === 1 ? "torch.cat([-output / 2, output / 2], dim=1)" : "output";
    const best = output.outputs === 1 ? "(output[:, 0] >= 0).long()" : "probabilities.argmax(dim=1)";
    return `def to_raw(output):
    """The most likely class, and the probability of each class."""
    probabilities = torch.softmax(${logits}, dim=1)
    best = ${best}
    return [
        {"class": CLASSES[place], "probabilities": dict(zip(CLASSES, row))}
        for place, row in zip(best.tolist(), probabilities.tolist())
    ]
`;
  }
  const raw = output.kind === "numbers"
    ? "output * torch.tensor(TARGET_FACTOR, dtype=torch.float64) + torch.tensor(TARGET_SHIFT, dtype=torch.float64)"
    : "torch.sigmoid(output)";
  return `def to_raw(output):
    """${output.kind === "numbers" ? "Targets in raw units" : "Probabilities"}, by name."""
    raw = ${raw}
    return [dict(zip(TARGETS, row)) for row in raw.tolist()]
`;
}

const MAIN = `def main():
    rows = [json.loads(line) for line in sys.stdin if line.strip()]
    if rows:
        for prediction in predict(load(), rows):
            print(json.dumps(prediction))


if __name__ == "__main__":
    main()
`;
