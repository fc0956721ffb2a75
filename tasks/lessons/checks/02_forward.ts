/** Judges lesson 2: mean and deviation of each column, for columns of several sizes. */
import { type Device, Random, Tensor } from "../../../mod.ts";

/** What the lesson exports. */
export interface Lesson {
  standardize(x: Tensor): Tensor;
}

/** Each tells a bit more; the last one nearly all. */
export const hints: readonly string[] = [
  "mean(x, 0) is the mean over the rows: one number for each column. subtract takes it as its second operand.",
  "const centered = subtract(x, mean(x, 0)); its deviation is sqrt(mean(square(centered), 0)). Divide by it.",
  "A deviation of 0 divides 0 by 0, which is NaN. add(deviation, equal(deviation, 0)) puts 1 in the place of 0.",
];

/** How far off a mean or a deviation may be. */
const NEAR = 1e-3;

/** Says what is wrong with the learner's scaling; nothing where it is right. */
export async function check(device: Device, lesson: Lesson): Promise<string[]> {
  const random = new Random(2, "check of lesson 2");
  const draw = (rows: number, sizes: [mean: number, deviation: number][]) =>
    Array.from({ length: rows }, () => sizes.map(([mean, deviation]) => Math.fround(random.normal(mean, deviation))));
  const tables = [draw(10, [[-300, 2000]]), draw(25, [[5, 0.1], [-40, 30], [0, 1]]), draw(8, [[2, 3], [4, 0], [0, 5]])];
  for (const rows of tables) {
    const wrong = await checkTable(device, lesson, rows);
    if (wrong.length > 0) return wrong;
  }
  return [];
}

async function checkTable(device: Device, lesson: Lesson, rows: number[][]): Promise<string[]> {
  using x = Tensor.from(device, rows);
  const made = device.tidy(() => lesson.standardize(x));
  if (!(made instanceof Tensor)) return ["standardize() returns no tensor"];
  using scaled = made;
  const columns = rows[0].length;
  const shape = `[${scaled.shape.join(", ")}]`;
  if (shape !== `[${rows.length}, ${columns}]`) {
    return [`standardize() makes ${shape} of [${rows.length}, ${columns}]: scaling keeps the shape`];
  }
  const values = await scaled.rows();
  const all = statisticsOf(values.flat());
  const wrong: string[] = [];
  for (let column = 0; column < columns; column++) {
    const before = statisticsOf(rows.map((row) => row[column]));
    const after = statisticsOf(values.map((row) => row[column]));
    const isConstant = before.deviation === 0;
    const isRight = Math.abs(after.mean) < NEAR && Math.abs(after.deviation - (isConstant ? 0 : 1)) < NEAR;
    if (isRight) continue;
    const cause = causeOf(before, after, columns > 1 && isNear(all.mean, 0), rows.length);
    wrong.push(
      `column ${column} of [${rows.length}, ${columns}]: mean ${text(before.mean)} and deviation ${
        text(before.deviation)
      } ` +
        `became ${text(after.mean)} and ${text(after.deviation)}, but should be 0 and ${isConstant ? 0 : 1}${cause}`,
    );
  }
  return wrong;
}

interface Statistics {
  readonly mean: number;
  readonly deviation: number;
  readonly range: number;
}

function statisticsOf(values: readonly number[]): Statistics {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / values.length), range: Math.max(...values) - Math.min(...values) };
}

/** What explains a column, as the end of a sentence; nothing where nothing does. */
function causeOf(before: Statistics, after: Statistics, isCentredAsWhole: boolean, rows: number): string {
  if (Number.isNaN(after.mean)) {
    return before.deviation === 0 ? ": the column is the same in all rows, and 0 / 0 is NaN" : ": look for 0 / 0";
  }
  const isCentred = Math.abs(after.mean) < NEAR;
  if (isNear(after.mean, before.mean) && isNear(after.deviation, before.deviation)) return ": nothing happened to it";
  if (isNear(after.range, 1)) {
    return ": it is scaled to a range of 1; divide by the deviation, not by largest - smallest";
  }
  if (!isCentred && isNear(after.deviation, 1)) return ": subtract the mean before you divide";
  if (isCentred && isNear(after.deviation, before.deviation)) return ": divide by the deviation as well";
  if (isCentred && isNear(after.deviation, 1 / before.deviation)) {
    return ": it is divided by the variance; take the square root first";
  }
  if (isCentred && isNear(after.deviation, Math.sqrt((rows - 1) / rows))) {
    return `: divide the sum of the squares by ${rows} rows, not by ${rows - 1}`;
  }
  return isCentredAsWhole ? ": the columns are scaled together; take mean and deviation over axis 0, the rows" : "";
}

function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) <= NEAR * Math.max(1, Math.abs(b));
}

function text(value: number): string {
  return `${Number(value.toPrecision(4))}`;
}
