/** Which device each rank of a job has: each takes one, and the first one tells of all. */

import { gatherTexts } from "../../lib/ranks/together.ts";
import { chooseGpu, type GpuOfRank } from "./gpu_of_rank.ts";
import type { Ranks } from "./ranks.ts";

/** A rank's device. */
export interface RankDevice {
  /** Its machine's name. */
  readonly host: string;
  /** The device's name; empty where it is not known. */
  readonly name: string;
  /** Where it is plugged in, where that is known. */
  readonly address?: string;
  /** Why the rank has no GPU of its own. */
  readonly fault?: string;
}

/** Gives a rank of several a GPU of its own. */
export function withGpu(ranks: Ranks): Ranks {
  return ranks.communicator.size > 1 ? { ...ranks, gpu: chooseGpu(ranks.localRank ?? 0) } : ranks;
}

/** Finds out where the device is that WebGPU gave. */
export function addressOf(name: string, gpu: GpuOfRank | undefined): string | undefined {
  const addresses = new Set(gpu?.visible.filter((device) => device.name === name).map(({ address }) => address));
  return addresses.size === 1 ? [...addresses][0] : undefined;
}

/** Brings what each rank has to the first one. */
export async function gatherDevices(
  { communicator, host, gpu }: Ranks,
  name: string,
): Promise<RankDevice[] | undefined> {
  const device: RankDevice = { host, name, address: addressOf(name, gpu), fault: gpu?.fault };
  return (await gatherTexts(communicator, JSON.stringify(device)))?.map((text) => JSON.parse(text));
}

/** Lines that name each rank's device, where it has a name. */
export function describeDevices(devices: readonly RankDevice[]): string[] {
  return devices.flatMap(({ host, name, address }, rank) => {
    const where = address === undefined ? "" : ` (${address})`;
    return name === "" ? [] : [`rank ${rank} of ${devices.length} on ${host}: ${name}${where}`];
  });
}

/** Warnings where ranks share a GPU, because there are too few, or because none could be chosen. */
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
        "start one rank for each GPU, for those that share one wait for each other",
      ]
      : [],
  ];
}
