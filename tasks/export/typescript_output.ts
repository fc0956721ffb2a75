/** The part of a TypeScript file that makes a prediction of what the networks put out. */

import { type ExportedModel, type ExportedOutput, literal } from "./exported_model.ts";

type Output<Kind> = Extract<ExportedOutput, { kind: Kind }>;

/** Code that has `toPrediction(outputs)`: of the outputs of each network. */
export function outputOf({ output, members }: ExportedModel): string {
  const parts = members.length === 1 ? [] : [MEAN];
  if (output.kind === "numbers") parts.push(numbers(output, members.length));
  else if (output.kind === "probabilities") parts.push(SIGMOID, probabilities(output, members.length));
  else parts.push(SOFTMAX, classes(output, members.length));
  return parts.join("\n");
}

const MEAN = `/** The mean of each value over all networks. */
function mean(all: readonly number[][]): number[] {
  return all[0].map((_, i) => all.reduce((sum, own) => sum + own[i], 0) / all.length);
}
`;

const SIGMOID = `const sigmoidOf = (x: number): number => 1 / (1 + Math.exp(-x));\n`;

const SOFTMAX = `function softmax(logits: readonly number[]): number[] {
  const largest = Math.max(...logits);
  const powers = logits.map((v) => Math.exp(v - largest));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((v) => v / sum);
}
`;

function numbers({ names, scalings, ranges }: Output<"numbers">, members: number): string {
  const targets = names.map((name, i) => {
    const { shift, factor } = scalings[i];
    const range = ranges ? `, min: ${ranges[i].min}, max: ${ranges[i].max}` : "";
    return `  { name: ${literal(name)}, shift: ${shift}, factor: ${factor}${range} },\n`;
  });
  const value = ranges ? "Math.max(min, Math.min(max, x[i] * factor + shift))" : "x[i] * factor + shift";
  return `/** raw = output * factor + shift${ranges ? ", within the range of the training rows" : ""} */
const TARGETS = [
${targets.join("")}];

function toPrediction(outputs: readonly number[][]): Prediction {
  const x = ${members === 1 ? "outputs[0]" : "mean(outputs)"};
  const raw = TARGETS.map(({ shift, factor${ranges ? ", min, max" : ""} }, i) => ${value});
  return Object.fromEntries(TARGETS.map(({ name }, i) => [name, raw[i]])) as unknown as Prediction;
}
`;
}

function probabilities({ names, temperature = 1 }: Output<"probabilities">, members: number): string {
  const own = (sign: string) => `mean(outputs.map((x) => x.map((v) => sigmoidOf(${sign}v))))`;
  let body: string;
  if (members === 1) {
    body = `  const shares = outputs[0].map((v) => sigmoidOf(v${over(temperature)}));\n`;
  } else if (temperature === 1) {
    body = `  const shares = ${own("")};\n`;
  } else {
    body = `  const yes = ${own("")};
  const no = ${own("-")};
  // The logit of each mean probability, divided by the temperature.
  const shares = yes.map((p, i) => sigmoidOf(Math.log(p / no[i])${over(temperature)}));
`;
  }
  return `const TARGETS = ${literal(names)};

function toPrediction(outputs: readonly number[][]): Prediction {
${body}  return Object.fromEntries(TARGETS.map((name, i) => [name, shares[i]])) as unknown as Prediction;
}
`;
}

function classes({ classes, outputs, temperature = 1, threshold }: Output<"classes">, members: number): string {
  const logits = outputs === 1 ? "[-x[0] / 2, x[0] / 2]" : "x";
  let shares: string;
  if (members === 1) {
    const cooled = temperature === 1 ? logits : `${logits}.map((v) => v${over(temperature)})`;
    shares = `  const [x] = outputs;\n  const shares = softmax(${cooled});\n`;
  } else {
    shares = `  const shares = mean(outputs.map((x) => softmax(${logits})));\n`;
    if (temperature !== 1) {
      shares = shares.replace("shares", "means") +
        `  // The logarithms of the mean probabilities, divided by the temperature.
  const shares = softmax(means.map((p) => Math.log(p)${over(temperature)}));
`;
    }
  }
  const best = threshold === undefined ? "shares.indexOf(Math.max(...shares))" : `shares[1] >= ${threshold} ? 1 : 0`;
  const note = outputs === 1 ? "/** A network's one output is the log odds of the second class. */\n" : "";
  return `const CLASSES = ${literal(classes)};

${note}function toPrediction(outputs: readonly number[][]): Prediction {
${shares}  const best = ${best};
  const probabilities = Object.fromEntries(CLASSES.map((name, i) => [name, shares[i]]));
  return { class: CLASSES[best], probabilities } as unknown as Prediction;
}
`;
}

function over(temperature: number): string {
  return temperature === 1 ? "" : ` / ${temperature}`;
}
