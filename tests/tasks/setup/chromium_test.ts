import { assertEquals } from "@std/assert";
import { describeMissing, findChromium } from "../../../tasks/setup/chromium.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";
import { CHECKING, scriptOf } from "./setup_scripts.ts";

const ending = Deno.build.os === "windows" ? ".exe" : "";

permitted("findChromium() takes CHROMIUM before the PATH, and nothing where there is none", async () => {
  await using place = await Workplace.create();
  const { path } = place;
  assertEquals(await findChromium({ PATH: path }), undefined);
  const browser = "#!/bin/sh\necho Chromium 1\n";
  const stub = "#!/bin/sh\necho Install it from another store >&2\nexit 1\n";
  const put = (name: string, script: string) => ending ? place.write(name, script) : place.writeProgram(name, script);
  if (ending === "") {
    await put("chromium-browser", stub);
    assertEquals(await findChromium({ PATH: path }), undefined, "a program that is none");
  }
  for (const name of ["own", `google-chrome${ending}`]) await put(name, browser);
  assertEquals(await findChromium({ PATH: path }), place.at(`google-chrome${ending}`));
  await put(`later/chromium${ending}`, browser);
  const both = [path, place.at("later")].join(ending ? ";" : ":");
  assertEquals(await findChromium({ PATH: both }), place.at(`later/chromium${ending}`));
  assertEquals(await findChromium({ PATH: path, CHROMIUM: place.at("own") }), place.at("own"));
  assertEquals(await findChromium({ PATH: path, CHROMIUM: place.at("missing") }), undefined);
  assertEquals(await findChromium({ PATH: both, CHROMIUM: "" }), place.at(`later/chromium${ending}`));
  assertEquals(await findChromium({}), undefined);
});

permitted("tasks/setup/chromium.ts fails without Chromium, saying so, and is silent with one", async () => {
  await using place = await Workplace.create({ browser: "" });
  const run = (env: Record<string, string>) =>
    place.runDeno(scriptOf("chromium"), { ...CHECKING, CHROMIUM: "", ...env });
  const { code, stderr } = await run({ PATH: place.path });
  assertEquals([code, stderr], [1, describeMissing("") + "\n"]);
  const wrong = await run({ CHROMIUM: "/nowhere" });
  const message = 'CHROMIUM is "/nowhere", where there is no file: correct it, or unset it.\n';
  assertEquals([wrong.code, wrong.stderr], [1, message]);
  assertEquals(await run({ CHROMIUM: place.at("browser") }), { code: 0, stdout: "", stderr: "" });
});
