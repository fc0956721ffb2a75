/** Processes of one job before MPI is there, under mpirun and srun. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { isFirst, launchCommand } from "../../../tasks/mpi/run_ranks.ts";
import { Workplace } from "../../support/run_task_process.ts";
import { permitted } from "../../support/permitted.ts";

const environment = (variables: Record<string, string>) => new Map(Object.entries(variables));

Deno.test("isFirst() is told by mpirun, before PMIx, before Slurm", () => {
  for (
    const [first, ...entries] of [
      [true],
      [true, ["OMPI_COMM_WORLD_RANK", "0"], ["PMIX_RANK", "0"], ["SLURM_PROCID", "1"]],
      [false, ["OMPI_COMM_WORLD_RANK", "1"], ["PMIX_RANK", "1"], ["SLURM_PROCID", "0"]],
      [true, ["PMIX_RANK", "0"], ["SLURM_PROCID", "0"]],
      [false, ["PMIX_RANK", "10"], ["SLURM_PROCID", "10"]],
      [true, ["SLURM_PROCID", "0"]],
      [false, ["SLURM_PROCID", "1"]],
    ] as [boolean, ...[string, string][]][]
  ) assertEquals(isFirst(environment(Object.fromEntries(entries))), first, JSON.stringify(entries));
});

Deno.test("launchCommand() names srun where that started the ranks, else mpirun, within a job of Slurm, too", () => {
  for (
    const [command, ...names] of [
      ["srun --mpi=pmix -n 3", "SLURM_PROCID", "PMIX_RANK"],
      ["mpirun -n 3", "OMPI_COMM_WORLD_RANK", "PMIX_RANK"],
      ["mpirun -n 3", "OMPI_COMM_WORLD_RANK", "SLURM_PROCID"],
    ]
  ) assertEquals(launchCommand(3, environment(Object.fromEntries(names.map((name) => [name, "0"])))), command);
});

permitted("train-mpi --help is said by the first process alone, whatever launched it", async () => {
  await using place = await Workplace.create();
  for (const name of ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID"]) {
    const first = await place.succeed("train-mpi", ["--help"], { [name]: "0" });
    assertStringIncludes(first.stdout, "deno task train-mpi: ");
    assertEquals(await place.succeed("train-mpi", ["-h"], { [name]: "1" }), { code: 0, stdout: "", stderr: "" });
  }
});
