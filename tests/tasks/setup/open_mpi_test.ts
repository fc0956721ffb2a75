import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { faultOfLauncher, OPEN_MPI } from "../../../tasks/setup/open_mpi.ts";
import { type Installer, planInstall } from "../../../tasks/setup/packages.ts";
import { HAS_MPI } from "../../support/mpi_job.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";
import { CHECKING, scriptOf } from "./setup_scripts.ts";

Deno.test("planInstall() installs as root on Debian, and says elsewhere what would", () => {
  const command = OPEN_MPI.commands["apt-get"];
  const text = command.join(" ");
  const planned = (installer: Installer) => planInstall(OPEN_MPI, "Found no mpirun", installer);
  const installing = { message: `Found no mpirun. Installing Open MPI: ${text}`, command };
  assertEquals(planned({ manager: "apt-get", mayInstall: true }), installing);
  const message = `Found no mpirun. To install Open MPI, as root: ${text}`;
  assertEquals(planned({ manager: "apt-get", mayInstall: false }), { message });
  const advice = "Found no mpirun. Install Open MPI 4 or later, its mpirun and its library.";
  assertEquals(planned({ manager: undefined, mayInstall: false }), { message: advice });
});

Deno.test("faultOfLauncher() takes Open MPI 4 and later, and names all others", () => {
  for (const version of ["4.1.4\n\nReport bugs", "5.0.3", "10.0"]) {
    assertEquals(faultOfLauncher(`mpirun (Open MPI) ${version}`), undefined, version);
  }
  assertEquals(faultOfLauncher(undefined), "Found no mpirun");
  for (const version of ["mpirun (Open MPI) 3.1.6", "HYDRA build details:"]) {
    const fault = `mpirun is not that of Open MPI 4 or later, but says "${version}"`;
    assertEquals(faultOfLauncher(`${version}\n    Version: x`), fault);
  }
});

permitted("tasks/setup/open_mpi.ts says that Open MPI is missing, or is silent", { ignore: !HAS_MPI }, async () => {
  await using place = await Workplace.create();
  const run = (env: Record<string, string>) => place.runDeno(scriptOf("open_mpi"), { ...CHECKING, ...env });
  const { code, stderr } = await run({ PATH: place.path });
  assertEquals(code, 1);
  assertMatch(stderr, /^Found no mpirun\. .*\n$/);
  assertEquals(await run({}), { code: 0, stdout: "", stderr: "" });
  // One without a library that fits.
  await place.writeProgram("mpirun", "#!/bin/sh\necho 'mpirun (Open MPI) 2.1.1'\n");
  const old = await run({ PATH: `${place.path}:${Deno.env.get("PATH")}` });
  assertEquals(old.code, 1);
  assertStringIncludes(old.stderr, 'mpirun is not that of Open MPI 4 or later, but says "mpirun (Open MPI) 2.1.1". ');
});

permitted("deno task setup takes no flag but --mpi", async () => {
  await using place = await Workplace.create();
  const { code, stderr } = await place.run("setup", ["--mpi", "--more"]);
  assertEquals([code, stderr], [2, "error: --more: setup takes no flag but --mpi\n"]);
});
