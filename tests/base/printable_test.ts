/** Texts from files as messages show them. */

import { assertEquals } from "@std/assert";
import { visible } from "../../lib/base/printable.ts";

Deno.test("visible() writes what cannot be seen, and leaves what can", () => {
  const cases: [string, string][] = [
    ["straße 東京 cafe\u0301 👍 a b", "straße 東京 cafe\u0301 👍 a b"],
    ["y\u200b", "y\\u200b"],
    ["soft\u00adhyphen\u2060", "soft\\u00adhyphen\\u2060"],
    ["12\u00a0kg\u3000", "12\\u00a0kg\\u3000"],
    ["\ufeffa\nb\u202e", "\\ufeffa\\u000ab\\u202e"],
    ["tag\u{e0041}", "tag\\udb40\\udc41"],
  ];
  for (const [text, shown] of cases) assertEquals([visible(text), visible(shown)], [shown, shown]);
});
