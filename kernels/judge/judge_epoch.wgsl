// judgeEpoch: what an epoch's validation losses decide, for all members of a model. A member has become better where its loss
// is below its best by more than minDelta; NaN never is. After `patience` epochs in which none has become better, the learning
// rate is multiplied by `factor`, `drops` times at most; after that, the training is over. What was decided is appended to
// the history, and the losses become 0 again. The cursor counts epochs since it was set.
// Grid: a single invocation, which goes through the members.
struct Member {
  loss: f32,
  best: f32,
  age: f32, // epochs since the best one
  isBetter: f32,
}
struct State {
  rate: f32, // factor of all learning rates
  waited: f32,
  drops: f32,
  isOver: f32,
  isBack: f32, // whether parameters and optimizer go back now, as goBack does
  members: array<Member>,
}
// Numbers of State before the members, and of a member.
const JOINT = 5u;
const EACH = 4u;
struct Sizes {
  members: u32,
  patience: f32, // 0: never
  drops: f32,
  goesBack: f32, // whether a drop of the rate also goes back
  minDelta: f32,
  factor: f32,
}
@group(0) @binding(0) var<storage, read_write> state: State;
@group(0) @binding(1) var<storage, read_write> losses: array<f32>;
@group(0) @binding(2) var<storage, read_write> history: array<f32>;
@group(0) @binding(3) var<storage, read_write> cursor: array<u32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

fn isBelow(loss: f32, bound: f32) -> bool {
  return (bitcast<u32>(loss) & 0x7fffffffu) <= 0x7f800000u && loss < bound;
}

fn judge() {
  var better = 0.0;
  for (var m = 0u; m < sizes.members; m++) {
    let loss = losses[m];
    let isBetter = isBelow(loss, state.members[m].best - sizes.minDelta);
    state.members[m].loss = loss;
    state.members[m].isBetter = select(0.0, 1.0, isBetter);
    state.members[m].age += 1.0;
    if (isBetter) {
      state.members[m].best = loss;
      state.members[m].age = 0.0;
      better = 1.0;
    }
  }
  state.waited = select(state.waited + 1.0, 0.0, better > 0.0);
  state.isBack = 0.0;
  if (sizes.patience == 0.0 || state.waited < sizes.patience) {
    return;
  }
  if (state.drops < sizes.drops) {
    state.drops += 1.0;
    state.waited = 0.0;
    state.rate *= sizes.factor;
    state.isBack = sizes.goesBack;
  } else {
    state.isOver = 1.0;
    state.isBack = 1.0;
  }
}

@compute @workgroup_size(1)
fn main() {
  if (state.isOver == 0.0) {
    judge();
  } else {
    for (var m = 0u; m < sizes.members; m++) {
      state.members[m].isBetter = 0.0; // what steps after the end have changed is undone
    }
  }
  let width = JOINT + EACH * sizes.members;
  let start = cursor[0] * width;
  if (start + width <= arrayLength(&history)) {
    history[start] = state.rate;
    history[start + 1u] = state.waited;
    history[start + 2u] = state.drops;
    history[start + 3u] = state.isOver;
    history[start + 4u] = state.isBack;
    for (var m = 0u; m < sizes.members; m++) {
      let place = start + JOINT + EACH * m;
      history[place] = state.members[m].loss;
      history[place + 1u] = state.members[m].best;
      history[place + 2u] = state.members[m].age;
      history[place + 3u] = state.members[m].isBetter;
      losses[m] = 0.0;
    }
  }
  cursor[0] += 1u;
}
