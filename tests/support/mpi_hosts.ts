/**
 * Several hosts on one machine: network namespaces with addresses and names of their own, joined by a switch and by nothing
 * else, so that ranks on different hosts reach each other by TCP alone. Where it may not be made, {@linkcode WHY_NO_HOSTS}
 * says why.
 */

import { HAS_MPI } from "./mpi_job.ts";
import { IS_PERMITTED } from "./permitted.ts";
import { Workplace } from "./run_task_process.ts";

/** Why there can be no hosts here; undefined where there can. Those tests are skipped, and this is printed. */
export const WHY_NO_HOSTS: string | undefined = IS_PERMITTED ? await findObstacle() : "want of permissions";
if (IS_PERMITTED && WHY_NO_HOSTS !== undefined) {
  console.warn(`SKIPPED: MPI on several hosts is not tested, for ${WHY_NO_HOSTS}`);
}

/** Hosts of a test; disposing of them ends what runs on them and takes them away. */
export class MpiHosts implements AsyncDisposable {
  /** The address of each host. */
  readonly addresses: readonly string[];
  readonly #place: Workplace;
  readonly #spaces: readonly string[];
  readonly #switch: string;

  private constructor(place: Workplace, count: number) {
    const name = `backhand_${Deno.pid}`;
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    this.#place = place;
    this.#switch = `${name}_0`;
    this.#spaces = numbers.map((i) => `${name}_${i}`);
    this.addresses = numbers.map((i) => `10.${64 + Deno.pid % 64}.${(Deno.pid >> 6) % 256}.${i}`);
  }

  static async create(count: number): Promise<MpiHosts> {
    await removeLost();
    const hosts = new MpiHosts(await Workplace.create(), count);
    try {
      await hosts.#connect();
      return hosts;
    } catch (error) {
      await hosts[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** How a job is started on the first host, and reaches the others: its ranks are dealt to all hosts in turn. */
  get job(): { enter: string[]; btl: string; launch: string[] } {
    const slots = this.addresses.map((address) => `${address}:4`).join(",");
    const launch = ["--host", slots, "--map-by", "node", "--mca", "plm_rsh_agent", this.#place.at("agent")];
    return { enter: enter(this.#spaces[0], "host1", 'exec "$@"'), btl: "self,tcp", launch };
  }

  /** Pulls a host's cable: nothing that is sent from or to it arrives, and nobody is told. */
  async cutOff(host: number): Promise<void> {
    await ip("-n", this.#switch, "link", "set", `port${host + 1}`, "nomaster");
  }

  /** Bytes that a host has sent so far, headers included. */
  async sentBy(host: number): Promise<number> {
    const [{ stats64 }] = JSON.parse(
      await ip("-n", this.#spaces[host], "-statistics", "-json", "link", "show", "cable"),
    );
    return stats64.tx.bytes;
  }

  async #connect(): Promise<void> {
    const hub = this.#switch;
    await ip("netns", "add", hub);
    await ip("-n", hub, "link", "add", "bridge", "type", "bridge");
    await ip("-n", hub, "link", "set", "bridge", "up");
    for (const [i, space] of this.#spaces.entries()) {
      const port = `port${i + 1}`;
      await ip("netns", "add", space);
      await ip("-n", hub, "link", "add", port, "type", "veth", "peer", "name", "cable", "netns", space);
      await ip("-n", hub, "link", "set", port, "master", "bridge", "up");
      await ip("-n", space, "link", "set", "lo", "up");
      await ip("-n", space, "address", "add", `${this.addresses[i]}/24`, "dev", "cable");
      await ip("-n", space, "link", "set", "cable", "up");
    }
    // mpirun calls it like ssh: the address, then the words of a command for a shell.
    const cases = this.#spaces.map((space, i) => {
      const words = enter(space, `host${i + 1}`, 'exec sh -c "$*"').map((word) => `'${word}'`);
      return `  ${this.addresses[i]}) shift; exec ${words.join(" ")} "$@" ;;`;
    });
    await this.#place.write("agent", ["#!/bin/sh", 'case "$1" in', ...cases, "esac", ""].join("\n"));
    await Deno.chmod(this.#place.at("agent"), 0o755);
  }

  /** Ends what runs on the hosts, and takes them away. */
  async remove(): Promise<void> {
    for (const space of [...this.#spaces, this.#switch]) await removeSpace(space);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
    await this.#place[Symbol.asyncDispose]();
  }
}

/** The command that does something in a namespace, under a host name; what follows are the script's arguments. */
function enter(space: string, host: string, script: string): string[] {
  const naming = `echo "$0" >/proc/sys/kernel/hostname; ${script}`;
  return ["ip", "netns", "exec", space, "unshare", "--uts", "sh", "-c", naming, host];
}

async function findObstacle(): Promise<string | undefined> {
  if (!HAS_MPI) return "there is no Open MPI";
  if (Deno.uid() !== 0) return "only root may make network namespaces";
  const space = `backhand_${Deno.pid}_try`;
  try {
    await ip("netns", "add", space);
    await ip("netns", "exec", space, "unshare", "--uts", "true");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no program `ip` (Debian's iproute2)";
    await removeSpace(space).catch(() => {}); // the reason is the first error
    return `network namespaces cannot be made here: ${(error as Error).message}`;
  }
  await removeSpace(space);
}

/** Ends what runs in a namespace, and removes it with its links; one that is not there is no fault. */
async function removeSpace(space: string): Promise<void> {
  if (!(await listSpaces()).includes(space)) return;
  for (const pid of (await ip("netns", "pids", space)).split("\n").filter(Boolean)) {
    try {
      Deno.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  await ip("netns", "delete", space);
}

/** Removes what tests left behind that were killed. */
async function removeLost(): Promise<void> {
  for (const space of await listSpaces()) {
    const pid = space.match(/^backhand_(\d+)_/)?.[1];
    if (pid === undefined) continue;
    const { success } = await new Deno.Command("sh", { args: ["-c", 'kill -0 "$1"', "sh", pid], stderr: "null" })
      .output();
    if (!success) await removeSpace(space);
  }
}

async function listSpaces(): Promise<string[]> {
  return (await ip("netns", "list")).split("\n").map((line) => line.split(" ")[0]);
}

async function ip(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("ip", { args }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`ip ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
}
