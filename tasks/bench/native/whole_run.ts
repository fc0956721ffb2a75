/** How long `train` takes with all defaults on a small table, next to scikit-learn. */

import { uniform } from "../workloads.ts";
import { runToEnd } from "../processes.ts";
import type { WholeRun } from "../results.ts";

const ROWS = 1000;
const COLUMNS = 6;

/**
 * Times both in turn, from the start of the process to its end.
 *
 * @param rounds How often.
 * @param folder Where the table and the runs are written.
 * @throws {Error} If one of them fails.
 */
export async function timeWholeRun(rounds: number, folder: string): Promise<WholeRun> {
  await Deno.writeTextFile(`${folder}/table.csv`, makeTable());
  const script = decodeURIComponent(new URL("sklearn_mlp.py", import.meta.url).pathname);
  const own: number[] = [];
  const sklearn: number[] = [];
  let made = { epochs: 0, members: 0 };
  for (let round = 0; round < rounds; round++) {
    const since = performance.now();
    const said = await runToEnd({
      script: "tasks/train.ts",
      // A run's name and where its data are change nothing in what is computed.
      // Under deno task a relative path would be one of the folder where its user stood.
      args: ["--data", `${folder}/table.csv`, "--target", "y", "--run-name", "whole"],
      flags: ["--allow-read", "--allow-write=data", "--allow-env", "--allow-net=127.0.0.1"],
      cwd: folder,
    });
    own.push((performance.now() - since) / 1000);
    const { args, epochs, members } = await readRun(said, `${folder}/data/runs/whole`);
    made = { epochs, members };
    const start = performance.now();
    const words = [script, "table.csv", ...args];
    const [trained] = (await runToEnd({ program: "python3", args: words, cwd: folder })).split(" ");
    sklearn.push((performance.now() - start) / 1000);
    if (Number(trained) !== epochs) throw new Error(`scikit-learn trained for ${trained} epochs, not ${epochs}`);
  }
  return { own, sklearn, ...made };
}

/** What scikit-learn is told: epochs, rows of a batch, widths of the hidden layers. */
async function readRun(said: string, run: string): Promise<{ args: string[]; epochs: number; members: number }> {
  const config = JSON.parse(await Deno.readTextFile(`${run}/config.json`));
  const [_, batch] = said.match(/ in batches of (\d+)/) ?? [];
  const epochs = (await Deno.readTextFile(`${run}/metrics.jsonl`)).trim().split("\n").length;
  if (batch === undefined) throw new Error(`train did not say how large its batches are: ${said.slice(0, 500)}`);
  return { args: [`${epochs}`, batch, ...config.HIDDEN_SIZE.split(",")], epochs, members: Number(config.MEMBERS) };
}

/** Rows of six numbers and one that depends on three of them, as CSV. */
function makeTable(): string {
  const x = uniform("whole run", ROWS * COLUMNS, 1);
  const noise = uniform("whole run noise", ROWS, 0.2);
  const lines = Array.from(noise, (added, row) => {
    const cells = x.subarray(row * COLUMNS, (row + 1) * COLUMNS);
    return [...cells, Math.sin(3 * cells[0]) + cells[1] * cells[2] + added].map((cell) => cell.toFixed(4)).join(",");
  });
  return `${["a,b,c,d,e,f,y", ...lines].join("\n")}\n`;
}
