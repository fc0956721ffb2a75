/**
 * Backhand: neural networks trained on Deno's WebGPU, every backward pass written by hand.
 *
 * A {@linkcode Device} is the GPU, a {@linkcode Tensor} an array on it, a {@linkcode Model} a list of layers. A step is
 * forward, loss, backward, update; {@linkcode Device.record} keeps it as a list of dispatches that replays without waiting.
 *
 * @module
 */
export type { DeviceOptions, ProductMethod } from "./lib/gpu/adapter.ts";
export { clipByNorm } from "./lib/training/clipping.ts";
export { ALONE, type Communicator, type Reducible, type Reduction } from "./lib/ranks/communicator.ts";
export { Device } from "./lib/gpu/device.ts";
export type { Examiner } from "./lib/gpu/examination.ts";
export type { Dispatch, RecordOptions, Tracked } from "./lib/gpu/dispatch.ts";
export type { KnownNumbers } from "./lib/gpu/known_numbers.ts";
export type { Staging } from "./lib/gpu/readback.ts";
export { CellError, isMissing, parseNumber } from "./lib/data/cells.ts";
export { type NumericBlock, type NumericCsvOptions, readNumericCsv } from "./lib/data/csv.ts";
export {
  type CsvOptions,
  parseRecords,
  readRecords,
  type RecordBlock,
  type Separator,
} from "./lib/data/csv_records.ts";
export type { ReadOptions } from "./lib/data/csv_text.ts";
export { DataError, type DataPlace, DeviceError, NotFiniteError } from "./lib/base/errors.ts";
export { type Fault, type FaultCause, findFault } from "./lib/inspect/fault_finder.ts";
export { Folds, stratifiedFolds } from "./lib/base/folds.ts";
export { outOfFold, type PredictedBlock } from "./lib/evaluate/out_of_fold.ts";
export { combineMembers } from "./lib/evaluate/combine.ts";
export { type ConformalScores, conformalScores, conformalWidth } from "./lib/evaluate/conformal.ts";
export { type FittedTemperature, fitTemperature } from "./lib/evaluate/temperature.ts";
export { evaluate, type Evaluation, type EvaluationOptions, Evaluator, toRaw } from "./lib/evaluate/evaluation.ts";
export { type BackwardCheck, type BackwardOptions, BackwardReport, checkBackward } from "./lib/check/check_backward.ts";
export type { WrongSide } from "./lib/check/gradient_blame.ts";
export { checkGradients, type GradientCase, gradientCases, type GradientCheck } from "./lib/check/gradcheck.ts";
export type { Group, OuterOptions } from "./lib/training/group/group.ts";
export { type Init, initialWeights } from "./lib/base/init.ts";
export {
  ActivationLayer,
  type ActivationName,
  Dropout,
  GELU,
  type Layer,
  LeakyReLU,
  Linear,
  multilayerPerceptron,
  Parameter,
  type PerceptronOptions,
  ReLU,
  Sigmoid,
  Tanh,
} from "./lib/core/layers.ts";
export {
  balancedWeights,
  bceWithLogits,
  huber,
  huberLoss,
  type Loss,
  mae,
  mse,
  softmaxCrossEntropy,
  weightedBceWithLogits,
  weightedSoftmaxCrossEntropy,
} from "./lib/core/losses.ts";
export {
  type Cell,
  type ClassPrediction,
  LoadedModel,
  loadModel,
  type Prediction,
  type Row,
} from "./lib/model_file/load_model.ts";
export {
  type ClassificationMetrics,
  classificationMetrics,
  type ClassMetrics,
  RunningClassification,
} from "./lib/evaluate/classification_metrics.ts";
export {
  type CurvePoint,
  RunningTwoClasses,
  type ThresholdRule,
  type TwoClassMetrics,
  twoClassMetrics,
} from "./lib/evaluate/two_classes.ts";
export { type Confusion, ConfusionMatrix } from "./lib/evaluate/confusion_matrix.ts";
export { learningRateAt, type LearningRateSchedule, type LearningRateSettings } from "./lib/training/learning_rates.ts";
export { accuracy, type RegressionMetrics, regressionMetrics, RunningMetrics } from "./lib/evaluate/metrics.ts";
export { type DataSource, dataSource, type ModelMetadata, type Versions } from "./lib/model_file/metadata.ts";
export type { OutputRule } from "./lib/model_file/output_rule.ts";
export { decodeModel, encodeModel } from "./lib/model_file/bytes.ts";
export { type ForwardOptions, Model, type ModelOptions, type NamedParameter, type Observer } from "./lib/core/model.ts";
export {
  add,
  addBackward,
  addBias,
  addBiasBackward,
  advance,
  divide,
  divideBackward,
  dropout,
  dropoutBackward,
  type DropoutOptions,
  equal,
  exp,
  expBackward,
  gelu,
  geluBackward,
  greater,
  type GroupedOut,
  leakyRelu,
  leakyReluBackward,
  type LeakyReluOptions,
  log,
  logBackward,
  matmul,
  matmulBackward,
  type MatmulOptions,
  max,
  maxBackward,
  mean,
  meanBackward,
  min,
  minBackward,
  multiply,
  multiplyBackward,
  norm,
  normBackward,
  oneHot,
  type Operand,
  type OperandGradients,
  type Out,
  relu,
  reluBackward,
  scale,
  scaleBackward,
  sgdStep,
  sigmoid,
  sigmoidBackward,
  softmax,
  softmaxBackward,
  spread,
  spreadBackward,
  sqrt,
  sqrtBackward,
  square,
  squareBackward,
  subtract,
  subtractBackward,
  sum,
  sumBackward,
  tanh,
  tanhBackward,
  transpose,
  transposeBackward,
} from "./lib/arithmetic/ops.ts";
export { append, type GatherOptions, gatherRows, gatherRowsBackward } from "./lib/training/recorded_rows.ts";
export {
  Adam,
  type AdamOptions,
  AdamW,
  createOptimizer,
  FlatOptimizer,
  Momentum,
  type MomentumOptions,
  Nesterov,
  type Optimizer,
  type OptimizerName,
  type OptimizerOptions,
  type OptimizerSettings,
  RmsProp,
  type RmsPropOptions,
  Sgd,
  type Trainable,
} from "./lib/core/optimizers.ts";
export { Judge, type JudgeOptions, type PlateauOptions, type Verdict } from "./lib/training/judge.ts";
export type { ValidationRows } from "./lib/training/validation_pass.ts";
export { LossCurve } from "./lib/show/loss_curve.ts";
export { print } from "./lib/inspect/print.ts";
export { type PredictedRows, Predictor } from "./lib/evaluate/predictor.ts";
export { Random } from "./lib/base/random.ts";
export { ArrayRows, type RowBlock, RowRange, type RowSource } from "./lib/data/row_source.ts";
export { loadWeights, type ModelDescription, SavedModel, saveModel } from "./lib/model_file/saved_model.ts";
export {
  readSafetensors,
  readSafetensorsHeader,
  type SafetensorsHeader,
  type StoredTensor,
  type StoredTensors,
  writeSafetensors,
} from "./lib/safetensors/reader.ts";
export { decodeSafetensors, encodeSafetensors } from "./lib/safetensors/bytes.ts";
export { SafetensorsRows } from "./lib/safetensors/rows.ts";
export { SafetensorsWriter } from "./lib/safetensors/writer.ts";
export { type ColumnScaling, Scaler, type ScalerJson, type ScalingMethod } from "./lib/data/scaler.ts";
export { type ColumnStatistics, RunningStatistics } from "./lib/data/statistics.ts";
export type { Binding } from "./lib/gpu/pipeline.ts";
export { type RecordedPart, Recording } from "./lib/gpu/recording.ts";
export { type KernelCheck, selfTest, type TestProgress } from "./lib/check/self_test.ts";
export type { Shape } from "./lib/base/shape.ts";
export {
  type CategoricalColumn,
  type DateColumn,
  encodedNames,
  type InputColumn,
  MISSING_CATEGORY,
  type MissingPolicy,
  type NumericColumn,
  numericTable,
  type Table,
  type Target,
} from "./lib/data/table.ts";
export type { DatePart } from "./lib/data/dates.ts";
export { nameKey } from "./lib/data/names.ts";
export { TableEncoder, TargetEncoder, type TargetForm, type UnseenNames } from "./lib/data/table_encoder.ts";
export { parseTable } from "./lib/data/table_json.ts";
export { type ColumnNote, parseTableNotes, type TableNotes } from "./lib/data/table_notes.ts";
export type { CellKind, ColumnLook, ProfileOptions } from "./lib/data/column_kinds.ts";
export { ColumnProfile } from "./lib/data/table_profile.ts";
export { type FarValue, ValueRange } from "./lib/data/statistics.ts";
export { type TensorStatistics, tensorStatistics } from "./lib/training/tensor_statistics.ts";
export { type DataType, readAll, Tensor, type TensorData, type TensorLike } from "./lib/core/tensor.ts";
export { VERSION } from "./lib/base/version.ts";
export type { Access, Kernel } from "./kernels/mod.ts";
export type { Matrix, ReferenceLayer, ReferenceLoss, ReferenceModel } from "./lib/reference/mod.ts";
export * as reference from "./lib/reference/mod.ts";
export { type Checkpoint, loadCheckpoint, readCheckpointNotes, saveCheckpoint } from "./lib/model_file/checkpoint.ts";
export { trainLoop, type TrainLoopOptions } from "./lib/core/train_loop.ts";
export { ColumnDropout, type ColumnDropoutOptions } from "./lib/tabular/column_dropout.ts";
export {
  type EmbeddedColumn,
  NUMERIC_EMBEDDINGS,
  type NumericEmbedding,
  TableEmbedding,
  type TableEmbeddingOptions,
} from "./lib/tabular/table_embedding.ts";
export type { TrainingState } from "./lib/training/training_state.ts";
export type { MeasuredTensor, ReadTensor } from "./lib/training/look.ts";
export { Trainer } from "./lib/training/trainer.ts";
export type {
  Batch,
  EpochOptions,
  EpochResult,
  ResidentRows,
  StreamedRows,
  TrainerOptions,
  TrainerSettings,
} from "./lib/training/trainer_options.ts";
