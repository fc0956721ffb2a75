/** Which GPU a rank takes, on machines that are made up; tests/tasks/mpi/vulkan_devices_test.ts asks this one's Vulkan. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { chooseGpu, type Environment, pickGpu } from "../../../tasks/mpi/gpu_of_rank.ts";
import { addressOf, describeDevices, gatherDevices, warnOfSharing, withGpu } from "../../../tasks/mpi/rank_devices.ts";
import type { Ranks } from "../../../tasks/mpi/ranks.ts";
import type { DeviceKind, VulkanDevice } from "../../../tasks/mpi/vulkan_devices.ts";
import { ALONE } from "../../../lib/ranks/communicator.ts";
import { asRanks } from "../../support/rank_group.ts";

const mailbox = { send: () => Promise.resolve(), poll: () => undefined };
const ONE_RANK: Ranks = { communicator: ALONE, mailbox, host: "", localRank: 0, command: "" };

function device(kind: DeviceKind, bus?: string, name: string = kind): VulkanDevice {
  return { name, kind, address: bus && `0000:${bus}:00.0` };
}

const CPU = device("cpu");
const BUILT_IN = device("integrated", "00");
const TWO = [device("discrete", "41"), device("discrete", "81")];
const FOUR = [device("discrete", "c1"), ...TWO, device("discrete", "0a")];

/** How Mesa's layer chooses: by address, as Mesa 22.3 mistakes it, or not at all, for it is not there. */
type Layer = "newer" | "22.3" | "none";

class Machine implements Environment {
  readonly environment: Map<string, string>;
  looks = 0;

  constructor(readonly devices: VulkanDevice[], readonly layer: Layer, environment: Record<string, string> = {}) {
    this.environment = new Map(Object.entries(environment));
  }

  get = (name: string) => this.environment.get(name);
  set = (name: string, value: string) => void this.environment.set(name, value);
  delete = (name: string) => void this.environment.delete(name);

  list = (): VulkanDevice[] => {
    this.looks++;
    if (this.layer === "none" || this.get("MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE") !== "1") return this.devices;
    const wanted = this.get("DRI_PRIME");
    if (wanted === undefined) return [this.devices[0]];
    if (wanted === "1") return [this.devices[1]];
    const isWanted = ({ address = "0000:00:00.0" }) => wanted === `pci-${address.replaceAll(/[:.]/g, "_")}`;
    // Where Mesa 22.3 should take the one, it takes the last of the others.
    if (this.layer === "22.3") return [this.devices.findLast((device) => !isWanted(device))!];
    return [this.devices.find(isWanted) ?? this.devices[0]];
  };
}

/** The buses that ranks choose, and what they have in common. */
function buses(devices: VulkanDevice[], layer: Layer, ranks: number): (string | undefined)[] {
  return Array.from({ length: ranks }, (_, rank) => {
    const machine = new Machine(devices, layer);
    const { visible, chosen, fault } = chooseGpu(rank, machine, machine.list);
    assertEquals([visible, fault === undefined], chosen ? [[chosen], true] : [devices, false]);
    return chosen?.address?.slice(5, 7);
  });
}

Deno.test("pickGpu() goes round the GPUs in the order of their addresses, by local rank", () => {
  const picked = (devices: VulkanDevice[]) =>
    [0, 1, 2, 3, 4].map((rank) => pickGpu(devices, rank)?.address?.slice(5, 7));
  assertEquals(picked(TWO), ["41", "81", "41", "81", "41"]);
  assertEquals(picked([...FOUR, CPU]), ["0a", "41", "81", "c1", "0a"]);
  // Two drivers for each.
  assertEquals(picked([...TWO, ...TWO]), ["41", "81", "41", "81", "41"]);
});

Deno.test("pickGpu() takes the fastest kind alone", () => {
  const virtual = [device("virtual", "51"), device("virtual", "52")];
  const other = [device("other", "51"), device("other", "52")];
  assertEquals(pickGpu([BUILT_IN, CPU, ...TWO], 2), TWO[0]);
  assertEquals(pickGpu([...virtual, ...TWO], 0), TWO[0]);
  assertEquals(pickGpu([BUILT_IN, ...virtual], 0), virtual[0]);
  assertEquals(pickGpu([CPU, ...other], 1), other[1]);
  assertEquals(pickGpu([BUILT_IN, TWO[0], CPU], 1), TWO[0], "the one fast GPU for all");
});

Deno.test("pickGpu() picks none where there are not several, or they cannot be told apart", () => {
  const unknown = device("discrete");
  const machines = [[], [CPU], [CPU, CPU], [BUILT_IN], [TWO[0], CPU], [TWO[0], TWO[0]], [unknown, unknown]];
  for (const devices of machines) assertEquals(pickGpu(devices, 1), undefined);
});

Deno.test("chooseGpu() gives each rank its own, and says so in the environment alone", () => {
  assertEquals(buses([...FOUR, BUILT_IN, CPU], "newer", 6), ["0a", "41", "81", "c1", "0a", "41"]);
  const machine = new Machine([...TWO, CPU], "newer", { HOME: "/home", DRI_PRIME: "" });
  chooseGpu(1, machine, machine.list);
  assertEquals(Object.fromEntries(machine.environment), {
    HOME: "/home",
    DRI_PRIME: "pci-0000_81_00_0",
    MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: "1",
  });
});

Deno.test("chooseGpu() looks what came of it, and finds a way for two GPUs with Mesa 22.3", () => {
  for (const more of [[], [CPU], [BUILT_IN, CPU]]) {
    assertEquals(buses([...TWO, ...more], "22.3", 3), ["41", "81", "41"]);
  }
  // Of four the first two in Vulkan's order, and that not for others.
  assertEquals(buses([...FOUR, CPU], "22.3", 4), [undefined, "41", undefined, "c1"]);
});

Deno.test("chooseGpu() leaves the environment as it was where nothing chooses, and says what to do", () => {
  const driver = "mesa-vulkan-drivers";
  const newer = `${driver} of Mesa 23.3 or later`;
  const before = { DRI_PRIME: "", MESA_VK_DEVICE_SELECT_FORCE_DEFAULT_DEVICE: "0" };
  const cases = [[TWO, "none", driver], [FOUR, "none", newer], [FOUR, "22.3", newer]] as const;
  for (const [devices, layer, install] of cases) {
    for (const environment of [{}, before]) {
      const machine = new Machine([...devices, CPU], layer, environment);
      const { visible, chosen, fault } = chooseGpu(2 % devices.length, machine, machine.list);
      assertEquals([visible, chosen], [machine.devices, undefined]);
      const layers = `install ${install}, whose layer of Vulkan chooses`;
      const launchers = "or have the launcher show each rank its own (srun --gpus-per-task=1)";
      assertEquals(fault, `${devices.length} GPUs, and its ranks do not get one each: ${layers}, ${launchers}`);
      assertEquals(Object.fromEntries(machine.environment), environment);
    }
  }
});

Deno.test("chooseGpu() keeps what users and launchers have chosen, withGpu() what one process by itself gets", () => {
  assert(withGpu(ONE_RANK) === ONE_RANK);
  for (const name of ["DRI_PRIME", "MESA_VK_DEVICE_SELECT", "VK_LOADER_DEVICE_SELECT"]) {
    const machine = new Machine(TWO, "newer", { [name]: "10de:2330" });
    assertEquals(chooseGpu(1, machine, machine.list), { visible: TWO });
    assertEquals([Object.fromEntries(machine.environment), machine.looks], [{ [name]: "10de:2330" }, 1]);
  }
  // Shown only one, as by Slurm or in a pod.
  const machine = new Machine([TWO[1], CPU], "newer");
  assertEquals(chooseGpu(1, machine, machine.list), { visible: machine.devices });
  assertEquals([machine.environment.size, machine.looks], [0, 1]);
});

Deno.test("addressOf() knows where a device is, if only one has its name", () => {
  const visible = [device("discrete", "41", "A"), device("discrete", "81", "A"), device("integrated", "00", "B"), CPU];
  assertEquals(addressOf("B", { visible }), "0000:00:00.0");
  for (const name of ["A", "C", "cpu"]) assertEquals(addressOf(name, { visible }), undefined, name);
  assertEquals(addressOf("A", { visible: visible.slice(1) }), "0000:81:00.0");
  assertEquals(addressOf("A", undefined), undefined);
});

Deno.test("describeDevices() names each rank's device, and warnOfSharing() is silent where each has its own", async () => {
  const [devices, ...others] = await asRanks(3, (communicator) => {
    const { rank } = communicator;
    const visible = rank < 2 ? [TWO[rank]] : [CPU];
    const ranks = { ...ONE_RANK, communicator, host: rank === 1 ? "b" : "a", gpu: { visible } };
    return gatherDevices(ranks, rank < 2 ? "discrete" : "");
  });
  assertEquals(others, [undefined, undefined]);
  assertEquals(describeDevices(devices!), [
    "rank 0 of 3 on a: discrete (0000:41:00.0)",
    "rank 1 of 3 on b: discrete (0000:81:00.0)",
  ]);
  assertEquals(warnOfSharing(devices!), []);
});

Deno.test("warnOfSharing() tells in a line of ranks that share, and once for each host where none could be chosen", () => {
  const at = (host: string, address?: string, fault?: string) => ({ host, name: "A", address, fault });
  assertEquals(warnOfSharing([at("a", "1"), at("b", "1"), at("a", "2"), at("a"), at("a")]), []);
  const [one, ...rest] = warnOfSharing([at("a", "1"), at("a", "1")]);
  assertEquals(rest, []);
  assertStringIncludes(one, "warning: 2 ranks share 1 GPU: ");
  assert(warnOfSharing([at("a", "1"), at("a", "2"), at("a", "1")])[0].startsWith("warning: 3 ranks share 2 GPUs: "));
  const few = "2 GPUs, and so on";
  const without = ["a", "a", "c", "c", "alone"].map((host) => at(host, undefined, few));
  assertEquals(warnOfSharing([...without, at("b")]), [`warning: a has ${few}`, `warning: c has ${few}`]);
});
