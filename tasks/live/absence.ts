/** How long a paused run waits though no page is open, and what the user is told of it. */

/** Milliseconds without a page after which a paused run continues. */
const ABSENCE = 60_000;

/** The share of that after which the user is told; a page that is loaded anew is back by then. */
const NOTICE = 1 / 12;

/** Browsers let a hidden page say that it is there once a minute, or later: it counts for so many times the usual time. */
const HIDDEN = 3;

export interface AbsenceOptions {
  /** The page's address, and the command that continues the run. */
  readonly url: string;
  readonly resume: string;
  /** Shows the user a line on the terminal. */
  readonly tell: (text: string) => void;
  /** Milliseconds without a page after which a paused run continues; 60,000 by default. */
  readonly absence?: number;
  /** Milliseconds since any fixed moment; tests pass their own. */
  readonly now?: () => number;
}

export class Absence {
  readonly #options: AbsenceOptions;
  readonly #absence: number;
  readonly #now: () => number;
  #until = 0;
  #isTold = false;

  constructor(options: AbsenceOptions) {
    this.#options = options;
    this.#absence = options.absence ?? ABSENCE;
    this.#now = options.now ?? (() => performance.now());
  }

  /** A page is open. */
  seen(): void {
    this.#wait(1);
  }

  /** A page is open, but hidden, so that it does not listen. */
  seenHidden(): void {
    this.#wait(HIDDEN);
  }

  /** Asked while no page listens to a run that is paused after `step` steps: whether it should continue. */
  isOver(step: number): boolean {
    const { url, resume, tell } = this.#options;
    const left = this.#until - this.#now();
    if (left <= 0) {
      tell(`no page was open for ${this.#absence / 1000} s: the paused run continues`);
    } else if (left < (1 - NOTICE) * this.#absence && !this.#isTold) {
      this.#isTold = true;
      tell(
        `paused at step ${step}, and no page is open: open ${url}, or press Ctrl-C and later run \`${resume}\`; ` +
          `without either it continues in ${Math.ceil(left / 1000)} s`,
      );
    }
    return left <= 0;
  }

  #wait(times: number): void {
    this.#until = this.#now() + times * this.#absence;
    this.#isTold = false;
  }
}
