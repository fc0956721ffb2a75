/** What the network says to a row that is typed. */

import type { Session } from "./session.ts";

/** Predicts a typed row. */
export async function answerTo(text: string, session: Session): Promise<string> {
  const { features, targets, rows: { table: { target } } } = session.data;
  if (text.trim() === "") return "";
  const row = text.split(",").map((word) => word.trim() === "" ? NaN : Number(word));
  if (row.length !== features.length || row.some((value) => !Number.isFinite(value))) {
    return `need ${features.length} number${features.length > 1 ? "s" : ""}: ${features.join(", ")}`;
  }
  const predicted = await session.predict(row);
  // Of two classes the network gives the probability of the second.
  const names = target.kind === "classes" && targets.length === 1 ? [`probability of ${target.classes[1]}`] : targets;
  return names.map((name, i) => `${name}: ${Number(predicted[i].toPrecision(7))}`).join(", ");
}
