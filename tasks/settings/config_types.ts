/** The settings as types, made of the list in settings.ts. */

import type { Key, SETTINGS } from "./settings.ts";
import type { RecipeName } from "./recipes.ts";

export type { Interval } from "./readers.ts";
export type { Key, RecipeName };

/** NUM_DATASET as the type numDataset. */
type Camel<K extends string> = K extends `${infer Head}_${infer Tail}` ? `${Lowercase<Head>}${Capitalize<Camel<Tail>>}`
  : Lowercase<K>;

/** All settings, read and checked. A task that does not use a setting gets its default. */
export type Config = { [K in Key as Camel<K>]: NonNullable<ReturnType<typeof SETTINGS[K]["parse"]>> };

/** Name of a loss. */
export type LossName = Exclude<Config["loss"], "auto">;

/** The name of a setting in the configuration: "numDataset" for NUM_DATASET. */
export function propertyOf<K extends Key>(key: K): Camel<K> {
  return key.toLowerCase().replace(/_(.)/g, (_, letter) => letter.toUpperCase()) as Camel<K>;
}
