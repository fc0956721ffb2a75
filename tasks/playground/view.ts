/// <reference lib="dom" />
/** What the page shows of a session. */

import { lossChart } from "../charts/charts.ts";
import { type Grid, gridOf } from "./grid.ts";
import { readPalette, short } from "./heat.ts";
import { drawHeat, drawNetwork } from "./network_view.ts";
import { drawOutput } from "./output_view.ts";
import type { Measure, Session } from "./session.ts";

/** Places of the surface, of the curve, and of a unit's tile, along a side. */
const SURFACE = 48;
const CURVE = 160;
const TILE = 20;

/** Pixels of the chart of losses, which the style sheet fits to its place. */
const LOSS_SIZE = { width: 380, height: 210 } as const;

/** The parts of the page that show something. */
export class View {
  /** Where a walk is shown. */
  readonly walk = {
    body: find<HTMLTableSectionElement>("#ops tbody"),
    frame: find("#ops-frame"),
    detail: find("#detail"),
    hint: find("#walk-hint"),
  };
  #surface!: Grid;
  #tiles!: Grid;
  /** Whether the fault that is shown stays at the next action. */
  #isFresh = false;

  /** Another session is shown from now on. */
  begin({ data }: Session): void {
    const isCurve = data.features.length === 1;
    this.#surface = gridOf(data, isCurve ? CURVE : SURFACE, SURFACE);
    this.#tiles = gridOf(data, TILE, TILE);
    this.walk.hint.textContent =
      "Step goes through the next training step: forward, loss, backward, update. Each press is one operation.";
  }

  /** Draws all of a session as it stands. */
  async draw(session: Session): Promise<void> {
    const [surface, tiles, weights, measure, look] = await Promise.all([
      session.outputs(this.#surface.scaled),
      session.outputs(this.#tiles.scaled),
      session.model.read(),
      session.measure(),
      session.look(),
    ]);
    const palette = readPalette();
    drawNetwork(find<HTMLCanvasElement>("#net"), session, this.#tiles, tiles, weights, palette);
    find("#net-hint").textContent =
      "Each tile is a unit's output over the inputs: blue above 0, orange below. Lines are weights.";
    drawHeat(find("#heat"), look, palette);
    const words = drawOutput(
      { surface: find<HTMLCanvasElement>("#surface"), fit: find("#fit") },
      session.data,
      this.#surface,
      surface.at(-1)!,
      palette,
    );
    find("#surface-hint").textContent = words;
    find("#loss").replaceChildren(lossChart(session.points, LOSS_SIZE));
    this.#measures(measure);
    find("#progress").textContent = `epoch ${session.epoch}, step ${session.step}`;
  }

  /** Says what is wrong, or what is to be known. */
  say(fault: string, hint?: string): void {
    find("#message").textContent = fault;
    this.#isFresh = fault !== "";
    if (hint === undefined) return;
    find("#progress").textContent = hint;
    this.announce(hint);
  }

  /** Has screen readers say something; what changes with every picture would never let them end. */
  announce(words: string): void {
    find("#said").textContent = words;
  }

  /** A fault is read until the action after the next. */
  clearFault(): void {
    if (!this.#isFresh) find("#message").textContent = "";
    this.#isFresh = false;
  }

  /** Whether it trains. */
  showRunning(isRunning: boolean): void {
    const button = find("#run");
    button.textContent = isRunning ? "Pause" : "Run";
    button.setAttribute("aria-pressed", `${isRunning}`);
    find("#answer").ariaLive = isRunning ? "off" : "polite";
    this.announce(isRunning ? "Training" : `Paused: ${find("#progress").textContent}`);
  }

  #measures({ train, validation, accuracy }: Measure): void {
    const rows = [
      ["training loss", short(train), train],
      ["validation loss", short(validation), validation],
      ...(accuracy === undefined ? [] : [["right classes", `${(100 * accuracy).toFixed(1)} %`, accuracy] as const]),
    ] as const;
    find("#measures").replaceChildren(...rows.flatMap(([name, text, value]) => {
      const term = document.createElement("dt");
      const data = document.createElement("dd");
      term.textContent = name;
      data.textContent = text;
      data.dataset.value = `${value}`;
      return [term, data];
    }));
  }
}

function find<T extends HTMLElement = HTMLElement>(selector: string): T {
  return document.querySelector<T>(selector)!;
}
