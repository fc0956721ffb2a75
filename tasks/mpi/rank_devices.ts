/** Which device each rank of a job has: each takes one, and rank 0 lists them. */

import { gatherTexts } from "../../lib/ranks/together.ts";
import { chooseGpu, type GpuOfRank } from "./gpu_of_rank.ts";
import type { RunView } from "../show/view.ts";
import type { Ranks } from "./ranks.ts";

interface RankDevice {
  readonly host: string;
  /** The device's name; empty if it is not known. */
  readonly name: string;
  readonly address?: string;
  readonly fault?: string;
}

/** Gives a rank a GPU of its own, if there are several ranks. */
export function withGpu(ranks: Ranks): Ranks {
  return ranks.communicator.size > 1 ? { ...ranks, gpu: chooseGpu(ranks.localRank) } : ranks;
}

/** Where the device is that WebGPU gave, if only one has its name. */
export function addressOf(name: string, gpu: GpuOfRank | undefined): string | undefined {
  const addresses = new Set(gpu?.visible.filter((device) => device.name === name).map(({ address }) => address));
  return addresses.size === 1 ? [...addresses][0] : undefined;
}

export async function gatherDevices(
  { communicator, host, gpu }: Ranks,
  name: string,
): Promise<RankDevice[] | undefined> {
  const device: RankDevice = { host, name, address: addressOf(name, gpu), fault: gpu?.fault };
  return (await gatherTexts(communicator, JSON.stringify(device)))?.map((text) => JSON.parse(text));
}

export function describeDevices(devices: readonly RankDevice[]): string[] {
  return devices.flatMap(({ host, name, address }, rank) => {
    const where = address === undefined ? "" : ` (${address})`;
    return name === "" ? [] : [`rank ${rank} of ${devices.length} on ${host}: ${name}${where}`];
  });
}

/** Warnings about ranks that share a GPU, because there are too few or because none could be chosen. */
export function warnOfSharing(devices: readonly RankDevice[]): string[] {
  const isAlone = (host: string) => devices.filter((device) => device.host === host).length === 1;
  const faults = new Map(
    devices.flatMap(({ host, fault }) => fault === undefined || isAlone(host) ? [] : [[host, fault] as const]),
  );
  const places = devices.flatMap(({ host, address }) => address === undefined ? [] : [`${host} ${address}`]);
  const gpus = new Set(places).size;
  return [
    ...Array.from(faults, ([host, fault]) => `warning: ${host} has ${fault}`),
    ...places.length > gpus
      ? [
        `warning: ${places.length} ranks share ${gpus} ${gpus > 1 ? "GPUs" : "GPU"}: ` +
        "start one rank for each GPU, because ranks that share one wait for each other",
      ]
      : [],
  ];
}

/** Says which device each rank has. */
export function tellDevices(devices: readonly RankDevice[], view: Pick<RunView, "note" | "warning">): void {
  for (const line of describeDevices(devices)) view.note(line);
  for (const line of warnOfSharing(devices)) view.warning(line);
  if (new Set(devices.map(({ name }) => name)).size < 2) return;
  view.warning("warning: the ranks have unlike devices: if these round differently, the weights will drift apart");
}
