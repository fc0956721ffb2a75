/** What is said of names that training did not see. */

import { printable, showName } from "../../lib/base/printable.ts";
import { showCell } from "../../lib/data/cells.ts";
import type { UnseenNames } from "../../lib/data/table_encoder.ts";

/** Says on stderr which columns held such names; nothing if there are none. */
export function tellUnseen(source: string, unseen: readonly UnseenNames[]): void {
  for (const { column, count, first } of unseen) {
    const cells = count === 1 ? "1 cell holds a name" : `${count} cells hold names`;
    const found = `${cells} that training did not see, the first ${first.map(showCell).join(", ")}`;
    const place = `${source}, column ${showName(column)}`;
    console.error(printable(`warning: ${place}: ${found}; these predictions are less sure`));
  }
}
