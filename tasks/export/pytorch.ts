/** A model as a Python file for PyTorch, and the weights for the file next to it. */

import { type ExportedModel, literal } from "./exported_model.ts";
import { columnsOf, encodingOf } from "./pytorch_cells.ts";
import { networkOf } from "./pytorch_network.ts";
import { outputOf } from "./pytorch_output.ts";

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
    networkOf(model),
    encodingOf(model),
    predictOf(model),
    outputOf(model),
    MAIN,
  ].join("\n\n");
}

function constantsOf(model: ExportedModel): string {
  const { scalings, output } = model;
  const list = (name: string, values: readonly number[]) => `${name} = ${literal(values)}\n`;
  let text = `${columnsOf(model)}
# scaled = (raw - shift) / factor, for each encoded column
`;
  text += list("SHIFT", scalings.map(({ shift }) => shift));
  text += list("FACTOR", scalings.map(({ factor }) => factor));
  if (isBent(model)) {
    text += "# Of that, x, x / sqrt(1 + (x / clip)^2), so that far values end at the clip; not where it is 0.\n";
    text += list("CLIP", scalings.map(({ clip = 0 }) => clip));
  }
  if (output.kind === "classes") return text + `CLASSES = ${literal(output.classes)}\n`;
  text += `TARGETS = ${literal(output.names)}\n`;
  if (output.kind === "probabilities") return text;
  text += list("TARGET_SHIFT", output.scalings.map(({ shift }) => shift));
  text += list("TARGET_FACTOR", output.scalings.map(({ factor }) => factor));
  if (!output.ranges) return text;
  text += "# Predictions stay within the range of the training rows.\n";
  text += list("TARGET_MIN", output.ranges.map(({ min }) => min));
  return text + list("TARGET_MAX", output.ranges.map(({ max }) => max));
}

function isBent({ scalings }: ExportedModel): boolean {
  return scalings.some(({ clip }) => clip !== undefined);
}

function predictOf(model: ExportedModel): string {
  const bend = isBent(model)
    ? `    clip = double(CLIP)
    # Written so that no square of a large number is infinite.
    bent = clip * scaled.sign() / (1 + (clip / scaled) ** 2).sqrt()
    scaled = torch.where(clip > 0, bent, scaled)
`
    : "";
  return `def double(values):
    return torch.tensor(values, dtype=torch.float64)


def predict(network, rows):
    """A prediction for each row."""
    raw = double([encode(row) for row in rows])
    scaled = (raw - double(SHIFT)) / double(FACTOR)
${bend}    with torch.no_grad():
        return to_raw(network(scaled.float()).double())
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
