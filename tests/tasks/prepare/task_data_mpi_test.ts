/** gen-data-mpi and scale-mpi as their users start them. */

import { assert, assertEquals } from "@std/assert";
import { readSafetensors } from "../../../lib/safetensors/reader.ts";
import { assertClose } from "../../support/assert_close.ts";
import { HAS_MPI, jobIn, runJob } from "../../support/mpi_job.ts";
import { Workplace } from "../../support/run_task_process.ts";

const options = { ignore: !HAS_MPI };

Deno.test(
  "gen-data-mpi and scale-mpi make the files of gen-data and scale, and rank 0 alone speaks",
  options,
  async () => {
    await using place = await Workplace.create();
    const args = ["--num-dataset=9000", "--noise=1"];
    const scaled = "data/cubic.scaled.safetensors";
    const { stdout: made } = await place.succeed("gen-data", args);
    const { stdout: told } = await place.succeed("scale", []);
    const expected = await readSafetensors(place.at(scaled));
    const digest = (await place.digests("data"))["cubic.csv"];
    const steps: [string, string[], string][] = [
      ["gen-data-mpi", args, "data/cubic.csv is there, made with these settings: nothing to do\n"],
      ["gen-data-mpi", [...args, "--generate-dataset"], made],
      ["scale-mpi", [], told.split("\n")[0]],
    ];
    for (const [task, flags, says] of steps) {
      const { code, ranks } = await runJob(await jobIn(place, task, 2, flags));
      assertEquals([code, ...ranks.map(({ stderr }) => stderr), ranks[1].stdout], [0, "", "", ""]);
      assert(ranks[0].stdout.startsWith(says), ranks[0].stdout);
    }
    assertEquals((await place.digests("data"))["cubic.csv"], digest);
    const { tensors } = await readSafetensors(place.at(scaled));
    for (const [name, { data }] of tensors) {
      assertClose(data, expected.tensors.get(name)!.data, { rtol: 2 ** -22, atol: 1e-10 });
    }
  },
);

Deno.test("scale-mpi ends at all ranks by what one finds, which is told once", options, async () => {
  const rows = (late: number) =>
    `t,x,y\n${Array.from({ length: 900 }, (_, i) => `${i === late ? "late" : i},${i % 7},${i % 5}\n`).join("")}`;
  await using place = await Workplace.create({ "own/a.csv": rows(-1), "own/b.csv": rows(800) });
  const cases: [string[], number, string][] = [
    [["--time-column=t"], 1, 'error: own/b.csv:802, column "t": "late" is no time'],
    [["--ignore=z"], 2, 'error: IGNORE names "z", which is no column'],
  ];
  for (const [args, exitCode, says] of cases) {
    const { code, ranks, isLate } = await runJob(
      await jobIn(place, "scale-mpi", 3, ["--data=own", "--target=y", ...args]),
    );
    assertEquals([code, isLate], [exitCode, false]);
    const told = ranks.map(({ stderr }) => stderr).filter((text) => text !== "");
    assertEquals(told.length, 1, JSON.stringify(ranks));
    assert(told[0].replace(/rank \d of 3 on \S+: /, "").startsWith(says), told[0]);
  }
  assertEquals(Object.keys(await place.digests()).filter((name) => name.startsWith("data/")), []);
});
