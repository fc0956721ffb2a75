/** The part of a Python file that makes predictions of what the network puts out. */

import type { ExportedModel, ExportedOutput } from "./exported_model.ts";

type Output<Kind> = Extract<ExportedOutput, { kind: Kind }>;

/** Code that has `to_raw(output)`: of [batch, outputs], of several members [members, batch, outputs], in float64. */
export function outputOf({ output, members }: ExportedModel): string {
  const isOne = members.length === 1;
  if (output.kind === "classes") return classes(output, isOne);
  return output.kind === "numbers" ? numbers(output, isOne) : probabilities(output, isOne);
}

function numbers({ ranges }: Output<"numbers">, isOne: boolean): string {
  const clip = ranges ? "    raw = raw.clamp(double(TARGET_MIN), double(TARGET_MAX))\n" : "";
  return `def to_raw(output):
    """Targets in raw units, by name."""
    raw = output${isOne ? "" : ".mean(dim=0)"} * double(TARGET_FACTOR) + double(TARGET_SHIFT)
${clip}    return [dict(zip(TARGETS, row)) for row in raw.tolist()]
`;
}

function probabilities({ temperature = 1 }: Output<"probabilities">, isOne: boolean): string {
  let lines: string;
  if (isOne) {
    lines = `    probabilities = torch.sigmoid(output${over(temperature)})\n`;
  } else if (temperature === 1) {
    lines = "    probabilities = torch.sigmoid(output).mean(dim=0)\n";
  } else {
    lines = `    # The logit of each mean probability, divided by the temperature.
    yes, no = torch.sigmoid(output).mean(dim=0), torch.sigmoid(-output).mean(dim=0)
    probabilities = torch.sigmoid((yes.log() - no.log())${over(temperature)})
`;
  }
  return `def to_raw(output):
    """Probabilities, by name."""
${lines}    return [dict(zip(TARGETS, row)) for row in probabilities.tolist()]
`;
}

function classes({ outputs, temperature = 1, threshold }: Output<"classes">, isOne: boolean): string {
  let logits = outputs === 1 ? "torch.cat([-output / 2, output / 2], dim=-1)" : "output";
  let lines = "";
  if (!isOne) lines += `    probabilities = torch.softmax(${logits}, dim=-1).mean(dim=0)\n`;
  if (!isOne && temperature !== 1) {
    lines += "    # The logarithms of the mean probabilities, divided by the temperature.\n";
    logits = "probabilities.log()";
  }
  if (isOne || temperature !== 1) lines += `    probabilities = torch.softmax(${logits}${over(temperature)}, dim=-1)\n`;
  const best = threshold === undefined ? "probabilities.argmax(dim=1)" : `(probabilities[:, 1] >= ${threshold}).long()`;
  const what = threshold === undefined || threshold === 0.5
    ? "The most likely class"
    : "The class by the threshold that was chosen in training";
  return `def to_raw(output):
    """${what}, and the probability of each class."""
${lines}    best = ${best}
    return [
        {"class": CLASSES[place], "probabilities": dict(zip(CLASSES, row))}
        for place, row in zip(best.tolist(), probabilities.tolist())
    ]
`;
}

function over(temperature: number): string {
  return temperature === 1 ? "" : ` / ${temperature}`;
}
