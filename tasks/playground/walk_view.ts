/// <reference lib="dom" />
/** The table of a step's operations, with the values and the gradient check of the selected one. */

import type { ReferenceModel } from "../../lib/reference/mod.ts";
import { short } from "../charts/frame.ts";
import { made } from "./elements.ts";
import { type Check, checkOp } from "./op_check.ts";
import type { Op } from "./ops_walk.ts";
import { REASONS } from "./reasons.ts";
import type { Session } from "./session.ts";

/** The most rows and columns of values. */
const MOST_ROWS = 16;
const MOST_COLUMNS = 16;

/** How many values a line of the table shows. */
const FIRST = 4;

/** The parts of the page that the walk uses. */
interface WalkParts {
  readonly body: HTMLTableSectionElement;
  readonly frame: HTMLElement;
  readonly detail: HTMLElement;
  readonly hint: HTMLElement;
}

export class Walk {
  readonly #session: Session;
  readonly #ops: readonly Op[];
  readonly #parts: WalkParts;
  /** As the weights were before the update. */
  readonly #reference: ReferenceModel;
  readonly #batch: ReturnType<Session["nextBatch"]>;
  #shown = 0;
  #said = "";

  private constructor(session: Session, place: WalkParts, ops: readonly Op[], reference: ReferenceModel) {
    this.#session = session;
    this.#parts = place;
    this.#ops = ops;
    this.#reference = reference;
    this.#batch = session.nextBatch();
  }

  /** Starts with the next step of a session: computes its operations up to the update, and shows none yet. */
  static async begin(session: Session, place: WalkParts): Promise<Walk> {
    const [ops, reference] = await Promise.all([session.walk(), session.reference()]);
    const walk = new Walk(session, place, ops, reference);
    clearWalk(place);
    const { rows } = walk.#batch;
    place.hint.textContent = `Step ${session.step + 1} on ${rows} rows: ${ops.length} operations, then the update.`;
    return walk;
  }

  /** The last operation in a few words. */
  get said(): string {
    return this.#said;
  }

  /** Shows the next operation; after the last one it does the update. Returns whether the step is finished. */
  async next(): Promise<boolean> {
    if (this.#shown < this.#ops.length) {
      const op = this.#ops[this.#shown++];
      this.#add(op);
      this.#said = `${op.phase}: ${op.formula}`;
      return false;
    }
    const updates = await this.#session.update();
    for (const op of updates) this.#add(op);
    this.#said = `Step ${this.#session.step} is done. Press Step for the next one.`;
    this.#parts.hint.textContent = this.#said;
    return true;
  }

  #add(op: Op): void {
    const row = this.#parts.body.insertRow();
    const button = made("button", op.formula);
    button.type = "button";
    button.addEventListener("click", () => this.#choose(row, op));
    const number = `${this.#parts.body.rows.length}`;
    const result = `${op.name} ${shapeOf(op)}`;
    for (const cell of [number, op.phase, button, op.shapes, result, firstOf(op)]) row.insertCell().append(cell);
    this.#choose(row, op);
    this.#parts.frame.scrollTop = this.#parts.frame.scrollHeight;
  }

  #choose(row: HTMLTableRowElement, op: Op): void {
    for (const other of this.#parts.body.rows) other.removeAttribute("aria-current");
    row.setAttribute("aria-current", "true");
    const formula = made("p", op.formula);
    formula.className = "formula";
    this.#parts.detail.replaceChildren(formula, reasonOf(op), valuesTable(op));
    if (!op.gradientOf) return;
    const button = made("button", "Check this gradient");
    button.type = "button";
    button.addEventListener("click", () => {
      const { rows, x, y } = this.#batch;
      button.replaceWith(checkTable(op, checkOp(op, this.#reference, x, y, rows)));
    });
    this.#parts.detail.append(button);
  }
}

export function clearWalk({ body, detail }: WalkParts): void {
  body.replaceChildren();
  detail.replaceChildren();
}

/** The general rule, why it is so, and where it is written. */
function reasonOf({ phase, of }: Op): HTMLParagraphElement {
  const { rule, why, file } = REASONS[of];
  const leads = {
    forward: "Its backward",
    loss: "Its gradient",
    backward: "In general",
    update: "In general",
  } as const;
  const line = made("p");
  line.className = "why";
  const place = made("code", file);
  line.append(`${leads[phase]}: `, made("b", rule), `. ${why} This is `, made("code", of), " in ", place, ".");
  return line;
}

function shapeOf({ shape }: Op): string {
  return shape.length === 0 || (shape.length === 1 && shape[0] === 1) ? "a number" : `[${shape.join(", ")}]`;
}

function firstOf({ values }: Op): string {
  const first = [...values.subarray(0, FIRST)].map(short).join(", ");
  return values.length > FIRST ? `${first}, …` : first;
}

/** Values as a table; a vector is one row. */
function valuesTable(op: Op): HTMLTableElement {
  const { shape, values, name } = op;
  const columns = shape.at(-1) ?? 1;
  const rows = values.length / columns;
  const table = made("table");
  table.className = "values";
  const down = Math.min(rows, MOST_ROWS);
  const across = Math.min(columns, MOST_COLUMNS);
  const some = down < rows || across < columns ? `; the first ${down} rows and ${across} columns` : "";
  table.createCaption().textContent = `${name} ${shapeOf(op)}, row by row${some}`;
  for (let row = 0; row < down; row++) {
    const line = table.insertRow();
    for (let column = 0; column < across; column++) {
      const value = values[row * columns + column];
      const cell = line.insertCell();
      cell.textContent = short(value);
      cell.title = `${value}`;
    }
  }
  return table;
}

function checkTable({ shape }: Op, checks: readonly Check[]): HTMLTableElement {
  const table = made("table");
  const columns = shape.at(-1) ?? 1;
  table.className = "check";
  table.createCaption().textContent = "The largest numbers, and (L(w + h) − L(w − h)) / 2h in float64 with h = 0.00001";
  const head = table.createTHead().insertRow();
  for (const word of ["place", "backward", "finite difference", "error"]) head.append(made("th", word));
  const body = table.createTBody();
  for (const { index, backward, differences } of checks) {
    const line = body.insertRow();
    const apart = Math.abs(backward - differences);
    const place = `${Math.floor(index / columns)}, ${index % columns}`;
    for (const word of [place, short(backward), short(differences), apart.toExponential(1)]) {
      line.insertCell().textContent = word;
    }
  }
  return table;
}
