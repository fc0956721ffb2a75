/** What a Trainer does, by the float64 model. */
import { EpochPlan, type PlanOptions } from "../../lib/training/epoch_plan.ts";
import { mse } from "../../lib/core/losses.ts";
import type { Model } from "../../lib/core/model.ts";
import { Matrix, type ReferenceOptimizer } from "../../lib/reference/mod.ts";
import { randomMatrix } from "../support/gpu_test_case.ts";

/** Rows in the order of a plan, and how the weights are changed. */
type TwinOptions = PlanOptions & { epochs: number; update: ReferenceOptimizer };

/**
 * Trains the twin of a model on the rows of a `smallTraining`, from the weights that the model has now. Gives the losses of
 * each epoch's steps, their mean over the rows, and the weights in the end.
 */
export async function trainTwin(model: Model, options: TwinOptions) {
  const { rows, batchSize, update } = options;
  const twin = await model.reference(mse.reference);
  const plan = new EpochPlan(options);
  const x = randomMatrix(rows, 2, 1);
  const y = randomMatrix(rows, 1, 2);
  const flat = (matrices: readonly Matrix[]) => Float64Array.from(matrices.flatMap(({ data }) => [...data]));
  const epochs = Array.from({ length: options.epochs }, (_, epoch) => {
    const losses: number[] = [];
    let total = 0;
    for (const visit of plan.visits(epoch, 1)) {
      const order = [...plan.order(visit)].map((row) => visit.start + row);
      for (let start = 0; start < order.length; start += batchSize) {
        const batch = order.slice(start, start + batchSize);
        const pick = ({ columns, data }: Matrix) => {
          const values = batch.flatMap((row) => [...data.slice(row * columns, (row + 1) * columns)]);
          return new Matrix(batch.length, columns, values);
        };
        losses.push(twin.backward(pick(x), pick(y)).loss);
        total += losses.at(-1)! * batch.length;
        const w = flat(twin.parameters);
        update(w, flat(twin.gradients));
        let place = 0;
        for (const { data } of twin.parameters) data.set(w.subarray(place, place += data.length));
      }
    }
    return { losses, loss: total / rows };
  });
  return { epochs, weights: twin.parameters };
}
