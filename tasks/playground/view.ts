/// <reference lib="dom" />
/** The picture of a session. */

import { lossChart } from "../charts/charts.ts";
import { short } from "../charts/frame.ts";
import { type Grid, gridOf } from "./grid.ts";
import { byId, made } from "./elements.ts";
import { readPalette } from "./heat.ts";
import { drawHeat, drawNetwork } from "./network_view.ts";
import { drawOutput } from "./output_view.ts";
import type { Measure, Session } from "./session.ts";

/** Places along a side of the surface, of the curve, and of a unit's tile. */
const SURFACE = 48;
const CURVE = 160;
const TILE = 20;

/** Pixels of the chart of losses, which the style sheet scales. */
const LOSS_SIZE = { width: 380, height: 210 } as const;

export class PageView {
  readonly walk = {
    body: byId<HTMLTableElement>("ops").tBodies[0],
    frame: byId("ops-frame"),
    detail: byId("detail"),
    hint: byId("walk-hint"),
  };
  #surface!: Grid;
  #tiles!: Grid;
  /** Whether the message was shown by the current action. */
  #isFresh = false;

  begin({ data }: Session): void {
    const isCurve = data.features.length === 1;
    this.#surface = gridOf(data, isCurve ? CURVE : SURFACE, SURFACE);
    this.#tiles = gridOf(data, TILE, TILE);
    this.walk.hint.textContent =
      "Step goes through the next training step: forward, loss, backward, update. Each press runs one operation.";
  }

  async draw(session: Session): Promise<void> {
    const [surface, tiles, weights, measure, look] = await Promise.all([
      session.outputs(this.#surface.scaled),
      session.outputs(this.#tiles.scaled),
      session.model.read(),
      session.measure(),
      session.look(),
    ]);
    const palette = readPalette();
    drawNetwork(byId<HTMLCanvasElement>("net"), session, this.#tiles, tiles, weights, palette);
    byId("net-hint").textContent =
      "Each tile is a unit's output over the inputs: blue above 0, orange below 0. Lines are weights.";
    drawHeat(byId("heat"), look, palette);
    const words = drawOutput(
      { surface: byId<HTMLCanvasElement>("surface"), fit: byId("fit") },
      session.data,
      this.#surface,
      surface.at(-1)!,
      palette,
    );
    byId("surface-hint").textContent = words;
    byId("loss").replaceChildren(lossChart(session.points, LOSS_SIZE));
    this.#measures(measure);
    byId("progress").textContent = `epoch ${session.epoch}, step ${session.step}`;
  }

  /** Shows an error, or a hint. */
  say(fault: string, hint?: string): void {
    byId("message").textContent = fault;
    this.#isFresh = fault !== "";
    if (hint === undefined) return;
    byId("progress").textContent = hint;
    this.announce(hint);
  }

  /** Text for screen readers. They must not read what changes with every picture. */
  announce(words: string): void {
    byId("said").textContent = words;
  }

  /** Removes the message at the second action after it, so that it can be read. */
  clearFault(): void {
    if (!this.#isFresh) byId("message").textContent = "";
    this.#isFresh = false;
  }

  showRunning(isRunning: boolean): void {
    const button = byId("run");
    button.textContent = isRunning ? "Pause" : "Run";
    button.setAttribute("aria-pressed", `${isRunning}`);
    byId("answer").ariaLive = isRunning ? "off" : "polite";
    this.announce(isRunning ? "Training" : `Paused: ${byId("progress").textContent}`);
  }

  #measures({ train, validation, accuracy }: Measure): void {
    const rows = [
      ["training loss", short(train), train],
      ["validation loss", short(validation), validation],
      ...(accuracy === undefined ? [] : [["correct classes", `${(100 * accuracy).toFixed(1)} %`, accuracy] as const]),
    ] as const;
    byId("measures").replaceChildren(...rows.flatMap(([name, text, value]) => {
      const data = made("dd", text);
      data.dataset.value = `${value}`;
      return [made("dt", name), data];
    }));
  }
}
