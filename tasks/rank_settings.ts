/** That all ranks are asked for the same. */

import type { Communicator } from "../lib/communicator.ts";
import { shareText, together } from "../lib/ranks.ts";
import { ConfigError } from "./config.ts";
import type { Config } from "./config_types.ts";
import { describeDifferences, differences } from "./dataset_files.ts";
import { KEYS, propertyOf } from "./keys.ts";

/**
 * Refuses ranks whose settings differ, as they do where hosts have other .env files.
 *
 * @param config This rank's settings.
 * @param communicator The ranks.
 * @throws {ConfigError} If they are not those of rank 0; all ranks throw.
 */
export async function agreeOnSettings(config: Config, communicator: Communicator): Promise<void> {
  if (communicator.size === 1) return;
  const own = Object.fromEntries(KEYS.map((key) => [propertyOf(key), config[propertyOf(key)]]));
  const first: Record<string, unknown> = JSON.parse(await shareText(communicator, JSON.stringify(own)));
  await together(communicator, () => {
    const differs = differences(own, first);
    if (differs.length === 0) return;
    const problem = `rank ${communicator.rank} has ${describeDifferences(differs)} than rank 0`;
    throw new ConfigError([`${problem}: all ranks need the same settings`]);
  });
}
