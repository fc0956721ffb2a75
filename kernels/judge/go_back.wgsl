// goBack: target[i] = source[i % length of source], where the state of judge_epoch.wgsl says so. The best parameters take the
// place of those that there are, zeros that of an optimizer's means.
// Grid: invocations that together take all elements, each every `invocations`th.
struct Sizes {
  count: u32,
  invocations: u32,
}
@group(0) @binding(0) var<storage, read> state: array<f32>;
@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> destination: array<f32>; // "target" is a reserved word in WGSL
@group(0) @binding(3) var<uniform> sizes: Sizes;

const IS_BACK = 4u; // its place in State of judge_epoch.wgsl

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = id.x + id.y * groups.x * 64u;
  if (first >= sizes.invocations || state[IS_BACK] == 0.0) {
    return;
  }
  for (var i = first; i < sizes.count; i += sizes.invocations) {
    destination[i] = source[i % arrayLength(&source)];
  }
}
