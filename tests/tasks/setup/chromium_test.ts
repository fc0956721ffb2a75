import { assertEquals } from "@std/assert";
import { describeMissing, findChromium } from "../../../tasks/setup/chromium.ts";
import { pathInProject, Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const ending = Deno.build.os === "windows" ? ".exe" : "";

permitted("findChromium() takes CHROMIUM before the PATH, and nothing where there is none", async () => {
  await using place = await Workplace.create();
  const { path } = place;
  assertEquals(await findChromium({ PATH: path }), undefined);
  const browser = "#!/bin/sh\necho Chromium 1\n";
  const stub = "#!/bin/sh\necho Install it from another store >&2\nexit 1\n";
  const put = async (name: string, script: string) => {
    if (Deno.build.os === "windows") await place.write(name, script);
    else await place.writeProgram(name, script);
  };
  if (ending === "") {
    await put("chromium-browser", stub);
    assertEquals(await findChromium({ PATH: path }), undefined, "a program that is none");
  }
  for (const name of ["own", `google-chrome${ending}`]) await put(name, browser);
  assertEquals(await findChromium({ PATH: path }), place.at(`google-chrome${ending}`));
  await put(`later/chromium${ending}`, browser);
  const both = [path, place.at("later")].join(Deno.build.os === "windows" ? ";" : ":");
  assertEquals(await findChromium({ PATH: both }), place.at(`later/chromium${ending}`));
  assertEquals(await findChromium({ PATH: path, CHROMIUM: place.at("own") }), place.at("own"));
  assertEquals(await findChromium({ PATH: path, CHROMIUM: place.at("missing") }), undefined);
  assertEquals(await findChromium({ PATH: both, CHROMIUM: "" }), place.at(`later/chromium${ending}`));
  assertEquals(await findChromium({}), undefined);
});

permitted("tasks/setup/chromium.ts fails without Chromium, saying so, and is silent with one", async () => {
  await using place = await Workplace.create({ browser: "" });
  const permissions = ["--no-prompt", "--allow-read", "--allow-env", "--allow-run", "--allow-sys=uid"];
  const run = (env: Record<string, string>) =>
    place.runDeno(["run", "--no-lock", "--quiet", ...permissions, pathInProject("tasks/setup/chromium.ts")], {
      NO_SETUP: "1",
      CHROMIUM: "",
      ...env,
    });
  const { code, stderr } = await run({ PATH: place.path });
  assertEquals([code, stderr], [1, describeMissing("") + "\n"]);
  const wrong = await run({ CHROMIUM: "/nowhere" });
  const message = 'CHROMIUM is "/nowhere", where there is no file: correct it, or unset it.\n';
  assertEquals([wrong.code, wrong.stderr], [1, message]);
  assertEquals(await run({ CHROMIUM: place.at("browser") }), { code: 0, stdout: "", stderr: "" });
});
