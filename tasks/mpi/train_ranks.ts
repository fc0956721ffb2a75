/**
 * The stages of `train` on every rank of an MPI job. What one process does once (lock, prepare, print, write) rank 0 does;
 * the others have a view that shows nothing and files that nobody writes. If a stage fails on one rank, all end.
 */

import type { Model } from "../../lib/core/model.ts";
import { RowRange } from "../../lib/data/row_source.ts";
import type { Communicator } from "../../lib/ranks/communicator.ts";
import { together } from "../../lib/ranks/together.ts";
import { shareOf } from "../../lib/training/group/group.ts";
import { datasetState } from "../prepare/generate.ts";
import { openScaledDataset, scaledPathOf } from "../prepare/scaled_dataset.ts";
import { readCheckpoint } from "../runs/checkpoints.ts";
import { usedTexts } from "../runs/origin.ts";
import { ConfigError, type TaskConfig } from "../settings/config.ts";
import { settingAt } from "../settings/faults.ts";
import { createView } from "../show/create_view.ts";
import { QuietView } from "../show/plain_view.ts";
import type { RunView } from "../show/view.ts";
import { trainEpochs } from "../training/epochs.ts";
import { finishRun } from "../training/finish.ts";
import { openNetwork } from "../training/network.ts";
import { openRows, type Rows } from "../training/rows.ts";
import { type Run, RunState } from "../training/run_state.ts";
import { StopSignal } from "../training/stop_signal.ts";
import { beginRun, openFiles, originOfTraining, train, withHint } from "../training/train_run.ts";
import { buildTraining, memberLosses, openParts, type Training } from "../training/training.ts";
import { gatherDevices, tellDevices } from "./rank_devices.ts";
import { checkSame, fromFirst, onFirst, type Ranks, shareValue } from "./ranks.ts";
import { unwrittenFiles } from "./unwritten_files.ts";

export async function trainRanks(given: TaskConfig, ranks: Ranks): Promise<number | void> {
  const { communicator, threads, command } = ranks;
  const asked = withoutFolds(given);
  if (communicator.size === 1) return await train(asked, { command, threads });
  using stack = new DisposableStack();
  const isFirst = communicator.rank === 0;
  const each = <T>(work: () => T | Promise<T>) => together(communicator, work);
  const view = await each(() => isFirst ? createView(asked) : new QuietView(() => {}));
  await checkSame(communicator, asked.texts);
  const files = await onFirst(communicator, () => openFiles(stack, asked, view)) ?? unwrittenFiles(asked);
  const path = await shareValue(communicator, files.checkpoint?.path ?? null);
  const checkpoint = await each(async () => files.checkpoint ?? (path ? await readCheckpoint(path) : undefined));

  const table = asked.data === "" ? undefined : await openRowsOnRanks(stack, asked, view, communicator);
  const made = table ? undefined : await fromFirst(communicator, () => datasetState(asked));
  const request = { config: asked, view, table, made, checkpoint, threads, communicator };
  const network = await each(() => openNetwork(stack, request));
  tellDevices(await gatherDevices(ranks, network.model.device.name) ?? [], view);
  const rows = table ?? await openRowsOnRanks(stack, asked, view, communicator);
  const config = { ...asked, texts: usedTexts(asked.texts, rows.sources) };
  const alone = await each(() => buildTraining(stack, { config, view, network, rows, communicator }));
  await each(() => network.model.device.examine()); // nothing of the run is written before
  const training = { ...alone, validate: await validation(stack, alone, communicator) };

  // A checkpoint names the device of rank 0.
  const origin = await shareValue(communicator, { ...originOfTraining(training), ranks: communicator.size });
  const state = new RunState(config, training, files, origin);
  using signal = new StopSignal();
  const run: Run = { config, view, signal, ...files, checkpoint, training, state, origin, command };
  await each(() => beginRun(run));
  await shareWeights(communicator, training.model);
  return await withHint(run, async () => {
    const code = await trainEpochs(run, (code) => agreeOn(code, communicator));
    await checkWeights(communicator, training.model);
    return isFirst ? await finishRun(run, code) : code;
  });
}

/**
 * Ranks share one order of the rows. The run's settings say so: it goes on without folds on any number of ranks, and in `train`.
 *
 * @throws {ConfigError} If somebody asks for folds.
 */
function withoutFolds(config: TaskConfig): TaskConfig {
  const { texts, extras } = config;
  if (config.folds === "auto" || config.folds === 0) {
    const isNew = extras.RESUME === undefined && texts.FOLDS !== undefined; // a run that is resumed keeps what it has
    return { ...config, folds: 0, texts: isNew ? { ...texts, FOLDS: "0" } : texts };
  }
  const problem = "ranks share one order of the rows: allowed is auto or 0, or use `deno task train`";
  throw new ConfigError([`${settingAt("FOLDS", config)}: ${problem}`]);
}

/** Prepares the rows on rank 0; then all ranks open them, and make sure that they have the same. */
async function openRowsOnRanks(
  stack: DisposableStack,
  config: TaskConfig,
  view: RunView,
  communicator: Communicator,
): Promise<Rows> {
  const own = await onFirst(communicator, () => openRows(stack, config, view));
  const rows = await together(
    communicator,
    async () => own ?? { dataset: stack.use(await openPrepared(config)), sources: {} },
  );
  await checkSame(communicator, { "scaled rows": rows.dataset.sha256 });
  return rows;
}

async function openPrepared(config: TaskConfig) {
  return await openScaledDataset(scaledPathOf(config)).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Deno.errors.NotFound(`${error.message}, but rank 0 has it: all ranks need the same data folder`);
  });
}

/** The exit code of whoever was asked to end, on whichever rank. */
async function agreeOn(code: number | undefined, communicator: Communicator): Promise<number | undefined> {
  const codes = Float64Array.of(code ?? -1);
  await communicator.allReduce(codes, "max");
  return codes[0] < 0 ? undefined : codes[0];
}

/** The validation loss of each member over all ranks, each of which measures its share of the rows. */
async function validation(
  stack: DisposableStack,
  { model, dataset, loss, validate }: Training,
  communicator: Communicator,
): Promise<Training["validate"]> {
  if (!validate) return undefined;
  const source = dataset.parts.validation;
  const none = new RowRange(source, 0, 0);
  const share = new RowRange(source, ...shareOf(source.rows, communicator));
  const parts = { train: none, validation: share, test: none };
  const [part] = await together(communicator, () => openParts(stack, model, { parts, loss: dataset.loss }));
  return async () => {
    const sums = new Float64Array(model.members);
    if (part) (await memberLosses(part, loss, dataset.targets.length)).forEach((own, m) => sums[m] = share.rows * own);
    await communicator.allReduce(sums);
    return Array.from(sums, (sum) => sum / source.rows);
  };
}

/** Gives all ranks the parameters of rank 0, and makes sure that they have them. */
async function shareWeights(communicator: Communicator, model: Model): Promise<void> {
  const numbers = await model.values.read();
  await communicator.broadcast(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  model.values.write(numbers);
  await checkWeights(communicator, model);
}

/**
 * Makes sure that all ranks have the same parameters, bit for bit.
 *
 * @throws {Error} If they have not; elsewhere {@linkcode RankFault}.
 */
async function checkWeights(communicator: Communicator, { values }: Model): Promise<void> {
  const numbers = await values.read();
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", numbers));
  const low = Float64Array.from(hash);
  const high = Float64Array.from(hash);
  await communicator.allReduce(low, "min");
  await communicator.allReduce(high, "max");
  await together(communicator, () => {
    if (low.every((byte, i) => byte === high[i])) return;
    throw new Error(
      "The ranks have different weights, which must never happen: `deno task doctor` checks each machine",
    );
  });
}
