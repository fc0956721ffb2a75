/**
 * Predicts from a trained run, in raw units: rows of numbers from the command line or from a CSV file, to stdout or to one.
 *
 *   deno task predict 12.5 -40
 *   deno task predict --run-name my_xor 0 1
 *   deno task predict --input new.csv --output predicted.csv
 */

import { stringify } from "@std/csv";
import { parseNumber } from "../lib/cells.ts";
import { readNumericCsv } from "../lib/csv.ts";
import { Device } from "../lib/device.ts";
import { writeFully } from "../lib/files.ts";
import { SavedModel } from "../lib/saved_model.ts";
import { ConfigError, type TaskConfig } from "./config.ts";
import { RunFolder } from "./run_folder.ts";
import { runTask } from "./run_task.ts";
import { fromUsersFolder, writeAside } from "./users_files.ts";

/** Takes the CSV text of some rows. */
type Sink = (text: string) => Promise<void>;

async function main(config: TaskConfig): Promise<void> {
  const { numbers } = config, [input, output] = [config.input, config.output].map(fromUsersFolder);
  if ((input === undefined) === (numbers.length === 0)) {
    throw new ConfigError([
      input === undefined
        ? "nothing to predict from: give numbers on the command line, or --input file.csv"
        : `there are numbers (${numbers.join(" ")}) and --input ${input}: give one of them`,
    ]);
  }
  if (input !== undefined && output !== undefined && await isSameFile(input, output)) {
    throw new ConfigError([`--output ${output} is the same file as --input ${input}: give it another name`]);
  }
  using device = await Device.request({ smallDispatches: numbers.length > 0 });
  using model = await new RunFolder(config.runName).readModel((path) => SavedModel.load(device, path));
  const blocks = input === undefined ? [rowsOf(numbers, model)] : rowsIn(input, model);
  if (output === undefined) {
    await predictAll(model, blocks, async (text) => await writeFully(Deno.stdout, new TextEncoder().encode(text)));
  } else {
    const rows = await writeAside(output, (sink) => predictAll(model, blocks, sink));
    console.log(`wrote ${output}: ${rows} predictions`);
  }
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  try {
    return await Deno.realPath(a) === await Deno.realPath(b);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The numbers of the command line as rows. */
function rowsOf(numbers: readonly string[], { description: { features } }: SavedModel): Float64Array {
  const faults: string[] = [];
  const values = numbers.map((text) => {
    try {
      return parseNumber(text);
    } catch (error) {
      faults.push((error as Error).message);
      return NaN;
    }
  });
  if (numbers.length % features.length !== 0) {
    faults.push(`a row has ${features.length} numbers (${features.join(", ")}), found ${numbers.length} in all`);
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return Float64Array.from(values);
}

/** Rows of a block: enough to hide the wait at its end. */
const BLOCK_ROWS = 65_536;

async function* rowsIn(path: string, { description: { features } }: SavedModel): AsyncGenerator<Float64Array> {
  for await (const { rows } of readNumericCsv(path, { columns: features, blockRows: BLOCK_ROWS })) yield rows;
}

/** Writes a CSV header and a line per row: its inputs, then its predictions. Returns the number of rows. */
async function predictAll(
  model: SavedModel,
  blocks: Iterable<Float64Array> | AsyncIterable<Float64Array>,
  sink: Sink,
): Promise<number> {
  const { features, targets } = model.description;
  let rows = 0, header: string[][] = [[...features, ...targets.map((name) => `predicted_${name}`)]];
  for await (const block of blocks) {
    const predicted = await model.predict(block, rows + 1), lines: (string | number)[][] = [...header];
    for (let row = 0; row < block.length / features.length; row++, rows++) {
      lines.push([
        ...block.subarray(row * features.length, (row + 1) * features.length),
        // float32 carries about seven digits
        ...[...predicted.subarray(row * targets.length, (row + 1) * targets.length)].map((v) => +v.toPrecision(7)),
      ]);
    }
    await sink(stringify(lines));
    header = [];
  }
  return rows;
}

if (import.meta.main) await runTask("predict", main);
