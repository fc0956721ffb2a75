/** Runs a lesson, which is to import it, and keeps what it prints. */
export async function runLesson<T>(load: () => Promise<T>): Promise<{ lesson: T; printed: string }> {
  const { log } = console;
  const lines: string[] = [];
  console.log = (...parts: unknown[]) => lines.push(parts.join(" "));
  try {
    return { lesson: await load(), printed: lines.join("\n") };
  } finally {
    console.log = log;
  }
}
