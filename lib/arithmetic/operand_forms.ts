/**
 * Elementwise kernels by what their second operand is.
 *
 * @module
 */
import type { Kernel } from "../../kernels/mod.ts";

/** The second operand of an elementwise kernel, where it is smaller than the first: spread over it, or a number. */
export type OperandForm = "spread" | "number";

const operandForms = { spread: new Map<Kernel, Kernel>(), number: new Map<Kernel, Kernel>() };

/**
 * An elementwise kernel with another second operand; see `elementwise.wgsl`.
 *
 * @param kernel One of `add`, `subtract`, `multiply`, `divide`, `equal`, `greater`.
 * @returns The kernel, of the same name; the same object each time.
 */
export function withOperand(kernel: Kernel, form: OperandForm): Kernel {
  const known = operandForms[form].get(kernel);
  if (known) return known;
  const isSpread = form === "spread";
  const constants = { ...kernel.constants, OPERAND: isSpread ? 1 : 2 };
  const made = { ...kernel, constants, counts: isSpread ? 0 : kernel.counts };
  operandForms[form].set(kernel, made);
  return made;
}
