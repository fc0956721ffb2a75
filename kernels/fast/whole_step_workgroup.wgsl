// Where whole_step.wgsl keeps its numbers on hardware: the rows in workgroup memory, the weights where they are.
var<workgroup> memory: array<vec4f, 1008>; // with partialLosses 16 KiB, what every device has

fn rowsAt(block: u32) -> vec4f {
  return memory[block];
}

// Only whole blocks are written: WGSL lets a write to one number of a vector touch all of it, so that invocations that share
// a block might undo each other's.
fn keepRows(block: u32, v: vec4f) {
  memory[block] = v;
}

// One row: places count rows.
fn at(place: u32) -> f32 {
  return memory[place / 4u][place % 4u];
}

fn weightAt(place: u32) -> f32 {
  return values[place];
}

fn keepWeights(invocation: u32) {}

fn synchronize() {
  workgroupBarrier();
}
