/// <reference lib="dom" />
/** The form: reads its texts as settings, and shows settings. */

import { ACTIVATION_NAMES, OPTIMIZER_NAMES, READERS, type Settings } from "./settings.ts";

/** A control, by the name of its setting. */
type Control = HTMLInputElement | HTMLSelectElement;

export class Controls {
  readonly #form: HTMLFormElement;

  constructor(form: HTMLFormElement, onChange: (key: keyof Settings) => void, onFault: (fault: string) => void) {
    this.#form = form;
    const lists = { activation: ACTIVATION_NAMES, optimizer: OPTIMIZER_NAMES };
    for (const [key, names] of Object.entries(lists)) {
      for (const name of names) (this.#control(key) as HTMLSelectElement).add(new Option(name));
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("change", ({ target }) => {
      const key = (target as Control).name as keyof Settings;
      if (!(key in READERS)) return;
      const fault = this.#faultOf(key);
      onFault(fault);
      if (fault === "") onChange(key);
    });
  }

  show(settings: Settings): void {
    for (const [key, value] of Object.entries(settings)) {
      this.#control(key).value = Array.isArray(value) ? value.join(", ") : `${value}`;
      this.#control(key).removeAttribute("aria-invalid");
    }
  }

  /** The settings; a value that is not allowed is replaced by that of `others`. */
  read(others: Settings): Settings {
    const entries = Object.entries(others).map(([key, other]) => {
      return [key, READERS[key as keyof Settings].read(this.#control(key).value) ?? other];
    });
    return Object.fromEntries(entries) as Settings;
  }

  #faultOf(key: keyof Settings): string {
    const control = this.#control(key);
    const isGood = READERS[key].read(control.value) !== undefined;
    if (isGood) control.removeAttribute("aria-invalid");
    else control.setAttribute("aria-invalid", "true");
    const name = control.closest("label")!.firstChild!.textContent!.trim();
    return isGood ? "" : `${name} is ${JSON.stringify(control.value)}: allowed is ${READERS[key].allowed}`;
  }

  #control(key: string): Control {
    return this.#form.elements.namedItem(key) as Control;
  }
}
