/** An error in a lesson's file, told with the line. */

/** `03_backward.ts, line 71: Cannot multiply ...`: the innermost line of the lesson, if the error passed through it. */
export function errorText(error: unknown, name: string): string {
  const { message, stack = "" } = error instanceof Error ? error : new Error(`${error}`, { cause: error });
  const line = stack.match(new RegExp(`/lessons/(?:solutions/)?${name}\\.ts:(\\d+)`))?.[1];
  return `${name}.ts${line === undefined ? "" : `, line ${line}`}: ${message}`;
}
