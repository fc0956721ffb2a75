/** Settings that name columns which are not there, or cannot be typed as they look. */

import { assertEquals, assertRejects } from "@std/assert";
import { ConfigError } from "../../../tasks/settings/config.ts";
import { plain, showName } from "../../../lib/base/printable.ts";
import { flagFor, listNames } from "../../../tasks/prepare/typed_names.ts";
import { permitted } from "../../support/permitted.ts";
import { planTable } from "../../support/plan_table.ts";

permitted("names that are no columns are refused with the one that is meant, as it can be typed", async () => {
  const cases: [header: string, flags: string[], says: string][] = [
    [
      "x,y\u200b",
      ["--target", "y"],
      '--target names "y", which is no column: did you mean "y\\u200b", which is typed --target $\'y\\u200b\'? there are x, "y\\u200b"',
    ],
    [
      "a\u00a0b,y",
      ["--features", "a b"],
      '--features names "a b", which is no column: did you mean "a\\u00a0b", which is typed --features $\'a\\u00a0b\'? there are "a\\u00a0b", y',
    ],
    ["x,y", ["--target", "y\u200b"], '--target names "y\\u200b", which is no column: did you mean "y"? there are x, y'],
    [
      'x,"Price, EUR"',
      ["--target", "Price, EUR"],
      '--target names "Price" and "EUR": the column "Price, EUR" has a comma and is quoted: --target \'"Price, EUR"\'',
    ],
    ["x,y", ["--dates", "day:%d.%m.%Y"], '--dates names "day", which is no column: did you mean "y"? there are x, y'],
    ["x,y", ["--dates", "x", "--categorical", "x"], '--categorical and --dates both name "x": take it out of one'],
    ["x,y", ["--dates", "y"], '--target and --dates both name "y": take it out of one'],
  ];
  for (const [header, flags, says] of cases) {
    const error = await assertRejects(() => planTable(`${header}\n1,2\n2,3\n3,5\n`, flags), ConfigError);
    assertEquals([header, error.faults], [header, [says]]);
  }
  const { targets } = await planTable('x,"Price, EUR"\n1,2\n2,3\n', ["--target", '"Price, EUR"']);
  assertEquals(targets, ["Price, EUR"]);
});

Deno.test("names are shown and typed so that nothing of them is hidden or read by a shell", () => {
  const cases: [name: string, shown: string, typed: string][] = [
    ["x", "x", "--ignore x"],
    ["größe", "größe", "--ignore größe"],
    ["size (m²)", "size (m²)", '--ignore "size (m²)"'],
    ["a, b", '"a, b"', "--ignore '\"a, b\"'"],
    ["it's, $5", '"it\'s, $5"', "--ignore '\"it'\\''s, $5\"'"],
    ['12" disk', '12" disk', '--ignore \'"12"" disk"\''],
    ["y\u200b", '"y\\u200b"', "--ignore $'y\\u200b'"],
    ["\u00e0\u00a0'b", '"\u00e0\\u00a0\'b"', "--ignore $'\u00e0\\u00a0\\'b'"],
  ];
  for (const [name, shown, typed] of cases) {
    assertEquals([listNames([name]), flagFor("--ignore", name)], [shown, typed]);
  }
  assertEquals(flagFor("--dates", "day", "%d.%m.%Y"), '--dates "day:%d.%m.%Y"');
  assertEquals(showName('a"\ufeff'), '"a\\"\\ufeff"');
  assertEquals(plain("\u200by\u00a0z\ufeff "), "y z");
});
