/** Measures as people read them, by their names in summary.json. */
export const MEASURE_NAMES: Readonly<Record<string, string>> = {
  mse: "MSE",
  rmse: "RMSE",
  mae: "MAE",
  r2: "R²",
  accuracy: "accuracy",
  macroF1: "macro F1",
  rocAuc: "ROC-AUC",
  averagePrecision: "average precision",
  brier: "Brier score",
};
