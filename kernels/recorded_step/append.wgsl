// append: history[cursor] = value, then cursor = cursor + 1. The losses of an epoch gather so, without a wait.
// Grid: a single invocation.
@group(0) @binding(0) var<storage, read> value: array<f32>;
@group(0) @binding(1) var<storage, read_write> history: array<f32>;
@group(0) @binding(2) var<storage, read_write> cursor: array<u32>;

@compute @workgroup_size(1)
fn main() {
  if (cursor[0] < arrayLength(&history)) {
    history[cursor[0]] = value[0];
  }
  cursor[0] += 1u;
}
