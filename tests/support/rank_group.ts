/** Ranks that live in one process, for tests of what ranks do together: each call waits until all ranks have made it. */

import type { Communicator, Reducible, Reduction } from "../../lib/ranks/communicator.ts";

/** What meets at one call: what each rank brought, and how they all go on. */
interface Meeting {
  readonly what: string;
  readonly brought: (Reducible | Uint8Array<ArrayBuffer>)[];
  readonly met: PromiseWithResolvers<void>;
}

/** What reductions do with two numbers. */
export const REDUCTIONS: Record<Reduction, (a: number, b: number) => number> = {
  sum: (a, b) => a + b,
  min: Math.min,
  max: Math.max,
};

/** Does something as each of several ranks at once, and gives what each returned. All must make the same calls. */
export function asRanks<T>(size: number, body: (communicator: Communicator) => Promise<T>): Promise<T[]> {
  const meetings = new Map<number, Meeting>();
  const ranks = Array.from({ length: size }, (_, rank): Communicator => {
    let calls = 0;
    const meet = async (what: string, bytes: Meeting["brought"][number], finish: (meeting: Meeting) => void) => {
      const call = calls++;
      const meeting = meetings.getOrInsert(call, { what, brought: [], met: Promise.withResolvers() });
      if (meeting.what !== what) throw new Error(`rank ${rank} calls ${what}, another calls ${meeting.what}`);
      meeting.brought[rank] = bytes;
      if (meeting.brought.filter(Boolean).length === size) {
        finish(meeting);
        meetings.delete(call);
        meeting.met.resolve();
      }
      await meeting.met.promise;
      return meeting.brought;
    };
    return {
      rank,
      size,
      allReduce: async (values, how = "sum") => {
        await meet(`allReduce ${how} of ${values.length} ${values.constructor.name}`, values, ({ brought }) => {
          const all = brought as Reducible[];
          const reduced = all[0].slice();
          for (const other of all.slice(1)) other.forEach((x, i) => reduced[i] = REDUCTIONS[how](reduced[i], x));
          for (const each of all) each.set(reduced);
        });
      },
      broadcast: async (bytes) => {
        await meet(`broadcast of ${bytes.length}`, bytes, ({ brought: [first, ...others] }) => {
          for (const other of others) other.set(first);
        });
      },
      barrier: async () => void await meet("barrier", new Uint8Array(), () => {}),
      gather: async (bytes) => {
        const all = await meet("gather", bytes.slice(), () => {}) as Uint8Array<ArrayBuffer>[];
        return rank === 0 ? all : undefined;
      },
    };
  });
  return Promise.all(ranks.map(body));
}
