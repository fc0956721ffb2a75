/** What models are exported as. */

import { closest } from "fastest-levenshtein";

const FORMATS = ["onnx", "pytorch", "ts"] as const;

/** A format that export writes. */
export type Format = typeof FORMATS[number];

/** What --format may be, in words. */
export const ALLOWED_FORMATS = `${FORMATS.slice(0, -1).join(", ")} or ${FORMATS.at(-1)}`;

/** What is wrong with --format. */
export function formatFaults(format: string | undefined, faults: readonly string[]): string[] {
  if (format === undefined) {
    // A flag without a value has been told.
    const isTold = faults.some((fault) => fault.startsWith("FORMAT "));
    return isTold ? [] : [`--format is missing: allowed is ${ALLOWED_FORMATS}`];
  }
  if (FORMATS.some((known) => known === format)) return [];
  const nearest = closest(format, FORMATS);
  return [
    `FORMAT (from --format) is ${JSON.stringify(format)}: allowed is ${ALLOWED_FORMATS}; the nearest is ${nearest}`,
  ];
}
