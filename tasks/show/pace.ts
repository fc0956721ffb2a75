/** How fast steps go, and how long the rest will take. */

/** Milliseconds over which the rate is taken: long enough to be steady, short enough to follow the machine. */
const WINDOW = 5_000;

/** The rate of the last seconds. */
export class Pace {
  #marks: { step: number; time: number }[] = [];

  mark(step: number, time: number): void {
    const last = this.#marks.at(-1);
    if (last && step < last.step) this.#marks = []; // the run went back to a checkpoint
    this.#marks.push({ step, time });
    const isOld = ([first, second]: readonly { time: number }[]) =>
      second.time <= time - WINDOW || second.time - first.time > WINDOW; // the latter if the run was held
    while (this.#marks.length > 2 && isOld(this.#marks)) this.#marks.shift();
  }

  /** Steps per second; undefined while it is not known. */
  get stepsPerSecond(): number | undefined {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (!first || !last || last.time <= first.time || last.step === first.step) return undefined;
    return (last.step - first.step) * 1000 / (last.time - first.time);
  }

  secondsUntil(step: number): number | undefined {
    const last = this.#marks.at(-1);
    const rate = this.stepsPerSecond;
    return last && rate ? Math.max(step - last.step, 0) / rate : undefined;
  }
}

/** A time as a clock shows it: 0:07, 12:34, 1:02:03; from a day on 2 d 3 h. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (value: number) => `${Math.floor(value)}`.padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return `${Math.floor(hours / 24).toLocaleString("en-US")} d ${hours % 24} h`;
  return hours > 0 ? `${hours}:${two(minutes % 60)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
