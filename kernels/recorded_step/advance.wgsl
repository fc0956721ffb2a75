// advance: counter = counter + 1, so that a recorded step can tell its replays apart.
// Grid: a single invocation.
@group(0) @binding(0) var<storage, read_write> counter: array<u32>;

@compute @workgroup_size(1)
fn main() {
  counter[0] += 1u;
}
