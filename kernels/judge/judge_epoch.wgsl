// judgeEpoch: what an epoch's validation losses decide, for all members of a model. A member has become better where its loss
// is below its best by more than minDelta; NaN never is. After `patience` epochs in which none has become better, the learning
// rate is multiplied by `factor`, `drops` times at most; after that, the training is over. What was decided is appended to
// the history, and the losses become 0 again. The cursor counts epochs since it was set.
// Grid: a single invocation, which goes through the members.
// Places in the state, whose numbers are those of a row of the history: first those of all members together.
const RATE = 0u; // factor of all learning rates
const WAITED = 1u;
const DROPS = 2u;
const IS_OVER = 3u;
const IS_BACK = 4u; // whether parameters and optimizer go back now, as goBack does
const JOINT = 5u;
// Then those of each member.
const LOSS = 0u;
const BEST = 1u;
const AGE = 2u; // epochs since the best one
const IS_BETTER = 3u;
const EACH = 4u;
struct Sizes {
  patience: f32, // 0: never
  drops: f32,
  goesBack: f32, // whether a drop of the rate also goes back
  minDelta: f32,
  factor: f32,
}
@group(0) @binding(0) var<storage, read_write> state: array<f32>;
@group(0) @binding(1) var<storage, read_write> losses: array<f32>;
@group(0) @binding(2) var<storage, read_write> history: array<f32>;
@group(0) @binding(3) var<storage, read_write> cursor: array<u32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

fn isBelow(loss: f32, bound: f32) -> bool {
  return (bitcast<u32>(loss) & 0x7fffffffu) <= 0x7f800000u && loss < bound;
}

fn judge() {
  var waited = state[WAITED] + 1.0;
  for (var own = JOINT; own < arrayLength(&state); own += EACH) {
    let loss = losses[(own - JOINT) / EACH];
    var best = state[own + BEST];
    var age = state[own + AGE] + 1.0;
    let isBetter = isBelow(loss, best - sizes.minDelta);
    if (isBetter) {
      best = loss;
      age = 0.0;
      waited = 0.0;
    }
    state[own + LOSS] = loss;
    state[own + BEST] = best;
    state[own + AGE] = age;
    state[own + IS_BETTER] = select(0.0, 1.0, isBetter);
  }
  let isDue = sizes.patience > 0.0 && waited >= sizes.patience;
  let drops = state[DROPS];
  let isDrop = isDue && drops < sizes.drops;
  if (isDrop) {
    waited = 0.0;
    state[DROPS] = drops + 1.0;
    state[RATE] *= sizes.factor;
  }
  state[WAITED] = waited;
  state[IS_OVER] = select(0.0, 1.0, isDue && !isDrop);
  state[IS_BACK] = select(0.0, select(1.0, sizes.goesBack, isDrop), isDue);
}

@compute @workgroup_size(1)
fn main() {
  // After the end nothing changes: no member is better, and what later steps change is undone.
  if (state[IS_OVER] == 0.0) {
    judge();
  }
  let width = arrayLength(&state);
  let start = cursor[0] * width;
  if (start + width <= arrayLength(&history)) {
    for (var i = 0u; i < width; i++) {
      history[start + i] = state[i];
    }
  }
  for (var m = 0u; m < (width - JOINT) / EACH; m++) {
    losses[m] = 0.0;
  }
  cursor[0] += 1u;
}
