// keepBest: best[i] = values[i] where i belongs to a member that has become better, in the state of judge_epoch.wgsl. Where
// parameters lie says the table: of each its start, and the elements that each member has of it. What lies between
// parameters belongs to nobody.
// Grid: invocations that together take all elements, each every `invocations`th.
struct Parameter {
  start: u32,
  own: u32,
}
struct Sizes {
  count: u32,
  invocations: u32,
  members: u32,
}
@group(0) @binding(0) var<storage, read> state: array<f32>;
@group(0) @binding(1) var<storage, read> parameters: array<Parameter>; // the last first
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> best: array<f32>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

// Places in State of judge_epoch.wgsl: numbers before the members, numbers of each member, and the last of these.
const JOINT = 5u;
const EACH = 4u;
const IS_BETTER = 3u;

fn isBetter(m: u32) -> u32 {
  return JOINT + EACH * m + IS_BETTER;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = id.x + id.y * groups.x * 64u;
  var better = 0.0;
  for (var m = 0u; m < sizes.members; m++) {
    better += state[isBetter(m)];
  }
  if (first >= sizes.invocations || better == 0.0) {
    return;
  }
  for (var i = first; i < sizes.count; i += sizes.invocations) {
    var p = 0u;
    while (p + 1u < arrayLength(&parameters) && i < parameters[p].start) {
      p++;
    }
    let m = (i - parameters[p].start) / parameters[p].own;
    if (m < sizes.members && state[isBetter(m)] > 0.0) {
      best[i] = values[i];
    }
  }
}
