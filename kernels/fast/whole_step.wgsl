// wholeStep: a training step but for the update, in one workgroup: gather, forward, loss, backward, append.
//   a = rows of x, then layer by layer  z = a · weight + bias, a = activation(z)
//   losses[cursor] = loss(a, rows of y), then layer by layer backward, from dA, the loss' gradient:
//   dZ = dA * activation'(z), dWeight = (the layer's input)ᵀ · dZ, dBias = column sums of dZ, dA = dZ · weightᵀ
// x [tableRows, in], y [tableRows, out]; weights [in, out] and biases [out] stand at their places in `values`, and their
// gradients go to the same places in `gradients`. The step's rows are those that `order` names from cursor * stride on; a
// number outside the table gives NaN. In the end the cursor moves on by one. Formulas are those of the plain kernels.
//
// A small network's step is a chain of dispatches that take longer to start than to run; here only barriers lie between
// them. `memory` holds the targets and the output of every layer, column by column, four rows of a column to a block: one
// load brings four rows, and one weight serves them. Rows past the last are 0 in outputs and in dZ, so that sums need no
// bounds. Going backward, dZ takes the place of the output it belongs to. The layers come from a table: one pipeline
// serves all networks of as many layers.
// Two things are for the software adapter. The table is no uniform: it would compile the kernel anew at each dispatch, for
// the branches that depend on it. And layers are no loop: with a barrier inside, all loops within take twice as long.
// Grid: one workgroup.
struct Layer {
  inputs: u32,
  outputs: u32,
  weight: u32, // places of weight and bias in values and gradients
  bias: u32,
  x: u32, // places of input and output in memory
  y: u32,
  activation: u32, // of the output
}
struct Plan {
  rows: u32,
  stride: u32,
  tableRows: u32,
  loss: u32,
  expected: u32, // place of the targets in memory
  layers: array<Layer>, // 4 at most
}
@group(0) @binding(0) var<storage, read> plan: Plan;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read> order: array<u32>;
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradients: array<f32>;
@group(0) @binding(6) var<storage, read_write> losses: array<f32>;
@group(0) @binding(7) var<storage, read_write> cursor: array<u32>;

override INVOCATIONS: u32 = 64u; // at most
override LAYERS: u32 = 0u; // how many, if known: what is for more is not compiled
const RELU = 1u;
const SIGMOID = 2u;
const MSE = 0u;
const BCE = 1u;

// 16 KiB together, what every device has.
var<workgroup> memory: array<vec4f, 1008>;
var<workgroup> partialLosses: array<f32, 64>;

// The block's values, 0 where a row is past the last.
fn clip(v: vec4f, block: u32, rows: u32) -> vec4f {
  return select(vec4f(), v, vec4u(0u, 1u, 2u, 3u) + 4u * block < vec4u(rows));
}

fn sum(v: vec4f) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

fn activate(activation: u32, z: vec4f) -> vec4f {
  if (activation == RELU) {
    return reluForward(z);
  }
  if (activation == SIGMOID) {
    return sigmoidForward(z);
  }
  return z;
}

// dZ from dA and the output a.
fn activateBackward(activation: u32, a: vec4f, dA: vec4f) -> vec4f {
  if (activation == RELU) {
    return reluBackward(a, dA);
  }
  if (activation == SIGMOID) {
    return sigmoidBackward(a, dA);
  }
  return dA;
}

// Rows of x and y into memory.
fn gather(input: Layer, output: Layer, invocation: u32, rows: u32, blocks: u32) {
  let start = cursor[0] * plan.stride;
  let tableRows = plan.tableRows;
  let expected = plan.expected;
  let inputs = input.inputs;
  let outputs = output.outputs;
  var nan = 0x7fc00000u; // a variable, for WGSL refuses a constant that is NaN
  for (var task = invocation; task < (inputs + outputs) * blocks; task += INVOCATIONS) {
    let column = task / blocks;
    let block = task % blocks;
    var v = vec4f(bitcast<f32>(nan));
    for (var i = 0u; i < min(4u, rows - 4u * block); i++) {
      let position = start + 4u * block + i;
      var row = tableRows;
      if (position < arrayLength(&order)) {
        row = order[position];
      }
      if (row < tableRows && column < inputs) {
        v[i] = x[row * inputs + column];
      } else if (row < tableRows) {
        v[i] = y[row * outputs + column - inputs];
      }
    }
    let place = select(expected + task - inputs * blocks, input.x + task, column < inputs);
    memory[place] = clip(v, block, rows);
  }
}

fn forward(layer: Layer, invocation: u32, rows: u32, blocks: u32) {
  for (var task = invocation; task < layer.outputs * blocks; task += INVOCATIONS) {
    let j = task / blocks;
    let block = task % blocks;
    var z = vec4f();
    for (var p = 0u; p < layer.inputs; p++) {
      z += values[layer.weight + p * layer.outputs + j] * memory[layer.x + p * blocks + block];
    }
    z += values[layer.bias + j];
    memory[layer.y + task] = clip(activate(layer.activation, z), block, rows);
  }
}

// Mean squared error or binary cross-entropy: dZ of the last layer. Gives the invocation's share of the loss.
fn elementLossBackward(loss: u32, layer: Layer, invocation: u32, rows: u32, blocks: u32) -> f32 {
  let expected = plan.expected;
  let factor = 1.0 / f32(rows * layer.outputs);
  var total = 0.0;
  for (var task = invocation; task < layer.outputs * blocks; task += INVOCATIONS) {
    let block = task % blocks;
    let a = memory[layer.y + task];
    let t = memory[expected + task];
    var terms = (a - t) * (a - t);
    var dA = factor * 2.0 * (a - t);
    if (loss == BCE) {
      terms = 0.5 * (a + abs(a)) - a * t + log(1.0 + exp(-abs(a))); // (a + |a|) / 2 is max(a, 0) that passes NaN on
      dA = factor * (sigmoidForward(a) - t);
    }
    total += sum(clip(terms, block, rows));
    memory[layer.y + task] = clip(activateBackward(layer.activation, a, dA), block, rows);
  }
  return factor * total;
}

// The same for softmax cross-entropy, which sees whole rows: four of them at a time. Where logits and targets are 0, for
// rows past the last, so are the loss and its gradient.
fn softmaxLossBackward(layer: Layer, invocation: u32, rows: u32, blocks: u32) -> f32 {
  let expected = plan.expected;
  let factor = 1.0 / f32(rows);
  let count = layer.outputs * blocks;
  var total = 0.0;
  for (var block = invocation; block < blocks; block += INVOCATIONS) {
    var largest = memory[layer.y + block];
    for (var at = block; at < count; at += blocks) {
      largest = max(largest, memory[layer.y + at]); // may drop a NaN, which the sums below meet again
    }
    var exps = vec4f();
    var weights = vec4f(); // sum of t
    var weighted = vec4f(); // sum of t (a - largest)
    for (var at = block; at < count; at += blocks) {
      let a = memory[layer.y + at] - largest;
      let t = memory[expected + at];
      exps += exp(a);
      weights += t;
      weighted += t * a;
    }
    total += sum(weights * log(exps) - weighted);
    for (var at = block; at < count; at += blocks) {
      let a = memory[layer.y + at];
      let dA = factor * (exp(a - largest) / exps * weights - memory[expected + at]);
      memory[layer.y + at] = activateBackward(layer.activation, a, dA);
    }
  }
  return factor * total;
}

// dWeight[p, j] = sum over rows of input[p] dZ[j], dBias[j] = sum over rows of dZ[j].
fn weightBackward(layer: Layer, invocation: u32, blocks: u32) {
  for (var task = invocation; task < layer.inputs * layer.outputs; task += INVOCATIONS) {
    let a = layer.x + task / layer.outputs * blocks;
    let dZ = layer.y + task % layer.outputs * blocks;
    var dWeight = 0.0;
    for (var block = 0u; block < blocks; block++) {
      dWeight += dot(memory[a + block], memory[dZ + block]);
    }
    gradients[layer.weight + task] = dWeight;
  }
  for (var j = invocation; j < layer.outputs; j += INVOCATIONS) {
    var dBias = 0.0;
    for (var block = 0u; block < blocks; block++) {
      dBias += sum(memory[layer.y + j * blocks + block]);
    }
    gradients[layer.bias + j] = dBias;
  }
}

// dZ of the layer below, from dA[p] = sum over outputs of weight[p, j] dZ[j].
fn inputBackward(layer: Layer, activation: u32, invocation: u32, blocks: u32) {
  for (var task = invocation; task < layer.inputs * blocks; task += INVOCATIONS) {
    let weight = layer.weight + task / blocks * layer.outputs;
    let block = task % blocks;
    var dA = vec4f();
    for (var j = 0u; j < layer.outputs; j++) {
      dA += values[weight + j] * memory[layer.y + j * blocks + block];
    }
    let place = layer.x + task;
    memory[place] = activateBackward(activation, memory[place], dA);
  }
}

fn backward(l: u32, invocation: u32, blocks: u32) {
  weightBackward(plan.layers[l], invocation, blocks);
  workgroupBarrier();
  inputBackward(plan.layers[l], plan.layers[l - 1u].activation, invocation, blocks);
  workgroupBarrier();
}

fn appendLoss() {
  var loss = 0.0;
  for (var i = 0u; i < INVOCATIONS; i++) {
    loss += partialLosses[i];
  }
  let step = cursor[0];
  if (step < arrayLength(&losses)) {
    losses[step] = loss;
  }
  cursor[0] = step + 1u;
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(local_invocation_index) invocation: u32) {
  let rows = plan.rows;
  let blocks = (rows + 3u) / 4u;
  let count = select(LAYERS, arrayLength(&plan.layers), LAYERS == 0u);
  let last = plan.layers[count - 1u];
  gather(plan.layers[0], last, invocation, rows, blocks);
  workgroupBarrier();
  forward(plan.layers[0], invocation, rows, blocks);
  workgroupBarrier();
  if (count > 1u) {
    forward(plan.layers[1], invocation, rows, blocks);
    workgroupBarrier();
  }
  if (count > 2u) {
    forward(plan.layers[2], invocation, rows, blocks);
    workgroupBarrier();
  }
  if (count > 3u) {
    forward(plan.layers[3], invocation, rows, blocks);
    workgroupBarrier();
  }
  let loss = plan.loss;
  if (loss == MSE || loss == BCE) {
    partialLosses[invocation] = elementLossBackward(loss, last, invocation, rows, blocks);
  } else {
    partialLosses[invocation] = softmaxLossBackward(last, invocation, rows, blocks);
  }
  workgroupBarrier();
  if (count > 3u) {
    backward(3u, invocation, blocks);
  }
  if (count > 2u) {
    backward(2u, invocation, blocks);
  }
  if (count > 1u) {
    backward(1u, invocation, blocks);
  }
  weightBackward(plan.layers[0], invocation, blocks);
  if (invocation == 0u) {
    appendLoss();
  }
}
