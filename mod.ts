/**
 * Backhand: neural networks trained on Deno's WebGPU, every backward pass written by hand.
 *
 * A {@linkcode Device} is the GPU, a {@linkcode Tensor} an array on it, a {@linkcode Model} a list of layers. A step is
 * forward, loss, backward, update; {@linkcode Device.record} keeps it as a list of dispatches that replays without waiting.
 *
 * @module
 */
export type { DeviceOptions, ProductSchedule } from "./lib/adapter.ts";
export { clipByNorm } from "./lib/clipping.ts";
export { ALONE, type Communicator, type Reducible, type Reduction } from "./lib/communicator.ts";
export { Device, type Dispatch, type RecordOptions, type Tracked } from "./lib/device.ts";
export type { Staging } from "./lib/staging.ts";
export { CellError, isMissing, parseNumber } from "./lib/cells.ts";
export { type NumericBlock, type NumericCsvOptions, readNumericCsv } from "./lib/csv.ts";
export type { CsvPiece } from "./lib/csv_files.ts";
export { type CsvRange, csvRange } from "./lib/csv_range.ts";
export { type CsvOptions, parseRecords, readRecords, type RecordBlock, type Separator } from "./lib/csv_records.ts";
export type { ReadOptions } from "./lib/csv_text.ts";
export { EarlyStopping, type EarlyStoppingState } from "./lib/early_stopping.ts";
export { DataError, type DataPlace, DeviceError, NotFiniteError } from "./lib/errors.ts";
export { type Fault, type FaultCause, findFault } from "./lib/fault_finder.ts";
export { evaluate, type Evaluation, type EvaluationOptions, Evaluator, toRaw } from "./lib/evaluation.ts";
export { checkGradients, type GradientCase, gradientCases, type GradientCheck } from "./lib/gradcheck.ts";
export type { Group, OuterOptions } from "./lib/group.ts";
export { type Init, initialWeights } from "./lib/init.ts";
export {
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
} from "./lib/layers.ts";
export { bceWithLogits, huber, huberLoss, type Loss, mae, mse, softmaxCrossEntropy } from "./lib/losses.ts";
export {
  type Cell,
  type ClassPrediction,
  LoadedModel,
  loadModel,
  type Prediction,
  type Row,
} from "./lib/load_model.ts";
export {
  type ClassificationMetrics,
  classificationMetrics,
  type ClassMetrics,
  RunningClassification,
} from "./lib/classification_metrics.ts";
export { learningRateAt, type LearningRateSchedule, type LearningRateSettings } from "./lib/learning_rates.ts";
export { accuracy, type RegressionMetrics, regressionMetrics, RunningMetrics } from "./lib/metrics.ts";
export { type DataSource, dataSource, type ModelMetadata, type Versions } from "./lib/model_metadata.ts";
export { decodeModel, encodeModel } from "./lib/model_bytes.ts";
export { type ForwardOptions, Model, type ModelOptions, type NamedParameter, type Observer } from "./lib/model.ts";
export {
  add,
  addBackward,
  addBias,
  addBiasBackward,
  advance,
  append,
  dropout,
  dropoutBackward,
  type DropoutOptions,
  type GatherOptions,
  gatherRows,
  gatherRowsBackward,
  gelu,
  geluBackward,
  leakyRelu,
  leakyReluBackward,
  type LeakyReluOptions,
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
  type Out,
  relu,
  reluBackward,
  scale,
  scaleBackward,
  sigmoid,
  sigmoidBackward,
  subtract,
  subtractBackward,
  sum,
  sumBackward,
  tanh,
  tanhBackward,
} from "./lib/ops.ts";
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
} from "./lib/optimizers.ts";
export {
  type PatienceOptions,
  type PatienceState,
  Plateau,
  type PlateauOptions,
  type PlateauState,
} from "./lib/plateau.ts";
export { Predictor } from "./lib/predictor.ts";
export { Random } from "./lib/random.ts";
export { ArrayRows, type RowBlock, RowRange, type RowSource } from "./lib/row_source.ts";
export { loadWeights, type ModelDescription, SavedModel, saveModel } from "./lib/saved_model.ts";
export {
  readSafetensors,
  readSafetensorsHeader,
  type SafetensorsHeader,
  type StoredTensor,
  type StoredTensors,
  writeSafetensors,
} from "./lib/safetensors.ts";
export { decodeSafetensors, encodeSafetensors } from "./lib/safetensors_bytes.ts";
export { SafetensorsRows } from "./lib/safetensors_rows.ts";
export { SafetensorsWriter, type TensorPiece } from "./lib/safetensors_writer.ts";
export { type ColumnStatistics, RunningStatistics, Scaler, type ScalerJson, type ScalingMethod } from "./lib/scaler.ts";
export type { Binding } from "./lib/pipeline.ts";
export { type RecordedPart, Recording } from "./lib/recording.ts";
export { type KernelCheck, selfTest } from "./lib/self_check.ts";
export type { Shape } from "./lib/shape.ts";
export {
  type CategoricalColumn,
  encodedNames,
  type InputColumn,
  MISSING_CATEGORY,
  type MissingPolicy,
  type NumericColumn,
  numericTable,
  type Table,
  type Target,
} from "./lib/table.ts";
export { TableEncoder, TargetEncoder, type TargetForm } from "./lib/table_encoder.ts";
export { parseTable } from "./lib/table_json.ts";
export { type ColumnLook, ColumnProfile } from "./lib/table_profile.ts";
export { type TensorStatistics, tensorStatistics } from "./lib/tensor_statistics.ts";
export { type DataType, readAll, Tensor, type TensorData, type TensorLike } from "./lib/tensor.ts";
export { VERSION } from "./lib/version.ts";
export type { Access, Kernel } from "./kernels/mod.ts";
export type { Matrix, ReferenceLayer, ReferenceLoss, ReferenceModel } from "./lib/reference.ts";
export * as reference from "./lib/reference.ts";
export { type Checkpoint, loadCheckpoint, readCheckpointNotes, saveCheckpoint } from "./lib/checkpoint.ts";
export type { TrainingState } from "./lib/training_state.ts";
export type { MeasuredTensor } from "./lib/step_look.ts";
export { Trainer } from "./lib/trainer.ts";
export { balancedWeights, weightedBceWithLogits, weightedSoftmaxCrossEntropy } from "./lib/weighted_losses.ts";
export type {
  Batch,
  EpochOptions,
  EpochResult,
  ResidentRows,
  StreamedRows,
  TrainerOptions,
  TrainerSettings,
} from "./lib/trainer_options.ts";
