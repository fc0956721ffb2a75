// wholeStep: a training step but for the update, in one workgroup: gather, forward, loss, backward, append.
//   a = rows of x, then layer by layer  z = a · weight + bias, a = activation(z)
//   losses[cursor] = loss(a, rows of y), then layer by layer backward, from dA, the loss' gradient:
//   dZ = dA * activation'(z), dWeight = (the layer's input)ᵀ · dZ, dBias = column sums of dZ, dA = dZ · weightᵀ
// x [tableRows, in], y [tableRows, out]; weights [in, out] and biases [out] stand at their places in `values`, and their
// gradients go to the same places in `gradients`. The step's rows are those that `order` names from cursor * stride on; a
// number outside the table gives NaN. In the end the cursor moves on by one. Formulas are those of the plain kernels.
//
// A small network's step is a chain of dispatches that take longer to start than to run; here only barriers lie between
// them. The step's memory holds the targets and the output of every layer, column by column, four rows of a column to a
// block. Rows past the last are 0 in outputs and in dZ, so that sums need no bounds. Going backward, dZ takes the place of
// the output it belongs to. The layers come from a table: one pipeline serves all networks of as many layers.
// Each task multiplies four columns with four, so that a load serves four products. Where fewer columns are left, the last
// one stands in for those that are missing, and what it gives there is not kept.
// Memory is whole_step_workgroup.wgsl, or for the software adapter whole_step_texels.wgsl, with the same functions.
// Three things are for the software adapter. A number from a storage buffer is dear: the table is read once. The table is no
// uniform: it would compile the kernel anew at each dispatch, for the branches that depend on it. And layers are no loop:
// with a barrier inside, all loops within take twice as long.
// Grid: one workgroup.
struct Layer {
  inputs: u32,
  outputs: u32,
  weight: u32, // places of weight and bias in values and gradients
  bias: u32,
  x: u32, // blocks of memory where input and output start
  y: u32,
  activation: u32, // of the output
}
struct Plan {
  rows: u32,
  stride: u32,
  tableRows: u32,
  loss: u32,
  expected: u32, // block of memory where the targets start
  weights: u32, // block after the last
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

// a / b for a below 2^20. Whole numbers are divided lane by lane on a software adapter, in much more code.
fn quotient(a: u32, b: u32) -> u32 {
  return u32((f32(a) + 0.5) / f32(b));
}

// Four columns from one on; the last where there are fewer.
fn columnsFrom(first: u32, count: u32) -> vec4u {
  return min(first + vec4u(0u, 1u, 2u, 3u), vec4u(count - 1u));
}

fn weightsAt(places: vec4u) -> vec4f {
  return vec4f(weightAt(places.x), weightAt(places.y), weightAt(places.z), weightAt(places.w));
}

// A row of the batch, of the columns that start in four blocks.
fn columnsAt(starts: vec4u, row: u32) -> vec4f {
  let places = 4u * starts + row;
  return vec4f(at(places.x), at(places.y), at(places.z), at(places.w));
}

// m[i] without a place in memory for m.
fn pick(m: mat4x4f, i: u32) -> vec4f {
  return select(select(m[0], m[1], i == 1u), select(m[2], m[3], i == 3u), i > 1u);
}

fn pickOne(v: vec4f, i: u32) -> f32 {
  return select(select(v.x, v.y, i == 1u), select(v.z, v.w, i == 3u), i > 1u);
}

// m + a bᵀ: b names the columns.
fn addOuter(m: mat4x4f, a: vec4f, b: vec4f) -> mat4x4f {
  return mat4x4f(
    fma(a, vec4f(b.x), m[0]),
    fma(a, vec4f(b.y), m[1]),
    fma(a, vec4f(b.z), m[2]),
    fma(a, vec4f(b.w), m[3]),
  );
}

// Rows of x and y into memory.
fn gather(inputs: u32, outputs: u32, start: u32, invocation: u32, rows: u32, blocks: u32) {
  let tableRows = plan.tableRows;
  var nan = 0x7fc00000u; // a variable, for WGSL refuses a constant that is NaN
  let parts = max(1u, INVOCATIONS / blocks); // invocations that share four rows
  for (var task = invocation; task < blocks * parts; task += INVOCATIONS) {
    let block = quotient(task, parts);
    let part = task - block * parts;
    var sources = vec4u(tableRows);
    for (var i = 0u; i < min(4u, rows - 4u * block); i++) {
      let position = start + 4u * block + i;
      if (position < arrayLength(&order)) {
        sources[i] = order[position];
      }
    }
    let missing = clip(vec4f(bitcast<f32>(nan)), block, rows);
    for (var column = part; column < inputs; column += parts) {
      var v = missing;
      for (var i = 0u; i < 4u; i++) {
        if (sources[i] < tableRows) {
          v[i] = x[sources[i] * inputs + column];
        }
      }
      keepRows(column * blocks + block, v);
    }
    for (var column = part; column < outputs; column += parts) {
      var v = missing;
      for (var i = 0u; i < 4u; i++) {
        if (sources[i] < tableRows) {
          v[i] = y[sources[i] * outputs + column];
        }
      }
      keepRows(plan.expected + column * blocks + block, v);
    }
  }
}

fn forward(layer: Layer, invocation: u32, rows: u32, blocks: u32) {
  for (var task = invocation; task < (layer.outputs + 3u) / 4u * blocks; task += INVOCATIONS) {
    let group = quotient(task, blocks);
    let block = task - group * blocks;
    let j = 4u * group;
    let columns = columnsFrom(j, layer.outputs);
    var z = addOuter(mat4x4f(), vec4f(1.0), weightsAt(layer.bias + columns));
    for (var p = 0u; p < layer.inputs; p++) {
      z = addOuter(z, rowsAt(layer.x + p * blocks + block), weightsAt(layer.weight + p * layer.outputs + columns));
    }
    for (var i = 0u; i < min(4u, layer.outputs - j); i++) {
      keepRows(layer.y + (j + i) * blocks + block, clip(activate(layer.activation, pick(z, i)), block, rows));
    }
  }
}

// Mean squared error or binary cross-entropy: dZ of the last layer. Gives the invocation's share of the loss.
fn elementLossBackward(loss: u32, layer: Layer, invocation: u32, rows: u32, blocks: u32) -> f32 {
  let expected = plan.expected;
  let factor = 1.0 / f32(rows * layer.outputs);
  var total = 0.0;
  for (var task = invocation; task < layer.outputs * blocks; task += INVOCATIONS) {
    let block = task - quotient(task, blocks) * blocks;
    let a = rowsAt(layer.y + task);
    let t = rowsAt(expected + task);
    var terms = (a - t) * (a - t);
    var dA = factor * 2.0 * (a - t);
    if (loss == BCE) {
      terms = 0.5 * (a + abs(a)) - a * t + log(1.0 + exp(-abs(a))); // (a + |a|) / 2 is max(a, 0) that passes NaN on
      dA = factor * (sigmoidForward(a) - t);
    }
    total += sum(clip(terms, block, rows));
    keepRows(layer.y + task, clip(activateBackward(layer.activation, a, dA), block, rows));
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
    var largest = rowsAt(layer.y + block);
    for (var at = block; at < count; at += blocks) {
      largest = max(largest, rowsAt(layer.y + at)); // may drop a NaN, which the sums below meet again
    }
    var exps = vec4f();
    var weights = vec4f(); // sum of t
    var weighted = vec4f(); // sum of t (a - largest)
    for (var at = block; at < count; at += blocks) {
      let a = rowsAt(layer.y + at) - largest;
      let t = rowsAt(expected + at);
      let nan = (bitcast<vec4u>(a) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u); // some drivers make infinity of exp(NaN)
      exps += select(exp(a), a, nan);
      weights += t;
      weighted += t * a;
    }
    total += sum(weights * log(exps) - weighted);
    for (var at = block; at < count; at += blocks) {
      let a = rowsAt(layer.y + at);
      let dA = factor * (exp(a - largest) / exps * weights - rowsAt(expected + at));
      keepRows(layer.y + at, activateBackward(layer.activation, a, dA));
    }
  }
  return factor * total;
}

// dWeight[p, j] = sum over rows of input[p] dZ[j], dBias[j] = sum over rows of dZ[j].
fn weightBackward(layer: Layer, invocation: u32, rows: u32, blocks: u32) {
  let groups = (layer.outputs + 3u) / 4u;
  for (var task = invocation; task < (layer.inputs + 3u) / 4u * groups; task += INVOCATIONS) {
    let group = quotient(task, groups);
    let p = 4u * group;
    let j = 4u * (task - group * groups);
    let inputs = layer.x + columnsFrom(p, layer.inputs) * blocks;
    let outputs = layer.y + columnsFrom(j, layer.outputs) * blocks;
    var dWeight = mat4x4f(); // a column is an input
    var dBias = vec4f();
    for (var row = 0u; row < rows; row++) {
      let dZ = columnsAt(outputs, row);
      dWeight = addOuter(dWeight, dZ, columnsAt(inputs, row));
      dBias += dZ;
    }
    let width = min(4u, layer.outputs - j);
    for (var i = 0u; i < min(4u, layer.inputs - p); i++) {
      let ofInput = pick(dWeight, i);
      for (var k = 0u; k < width; k++) {
        gradients[layer.weight + (p + i) * layer.outputs + j + k] = pickOne(ofInput, k);
      }
    }
    if (p == 0u) {
      for (var k = 0u; k < width; k++) {
        gradients[layer.bias + j + k] = pickOne(dBias, k);
      }
    }
  }
}

// dZ of the layer below, from dA[p] = sum over outputs of weight[p, j] dZ[j].
fn inputBackward(layer: Layer, activation: u32, invocation: u32, blocks: u32) {
  for (var task = invocation; task < (layer.inputs + 3u) / 4u * blocks; task += INVOCATIONS) {
    let group = quotient(task, blocks);
    let block = task - group * blocks;
    let p = 4u * group;
    let weights = layer.weight + columnsFrom(p, layer.inputs) * layer.outputs;
    var dA = mat4x4f();
    for (var j = 0u; j < layer.outputs; j++) {
      dA = addOuter(dA, rowsAt(layer.y + j * blocks + block), weightsAt(weights + j));
    }
    for (var i = 0u; i < min(4u, layer.inputs - p); i++) {
      let place = layer.x + (p + i) * blocks + block;
      keepRows(place, activateBackward(activation, rowsAt(place), pick(dA, i)));
    }
  }
}

fn backward(layer: Layer, activation: u32, invocation: u32, rows: u32, blocks: u32) {
  weightBackward(layer, invocation, rows, blocks);
  synchronize();
  inputBackward(layer, activation, invocation, blocks);
  synchronize();
}

fn appendLoss(step: u32) {
  var loss = 0.0;
  for (var i = 0u; i < INVOCATIONS; i++) {
    loss += partialLosses[i];
  }
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
  let step = cursor[0];
  let first = plan.layers[0];
  var second = first;
  var third = first;
  var last = first;
  gather(first.inputs, plan.layers[count - 1u].outputs, step * plan.stride, invocation, rows, blocks);
  keepWeights(invocation);
  synchronize();
  forward(first, invocation, rows, blocks);
  synchronize();
  if (count > 1u) {
    second = plan.layers[1];
    last = second;
    forward(second, invocation, rows, blocks);
    synchronize();
  }
  if (count > 2u) {
    third = plan.layers[2];
    last = third;
    forward(third, invocation, rows, blocks);
    synchronize();
  }
  if (count > 3u) {
    last = plan.layers[3];
    forward(last, invocation, rows, blocks);
    synchronize();
  }
  let loss = plan.loss;
  if (loss == MSE || loss == BCE) {
    partialLosses[invocation] = elementLossBackward(loss, last, invocation, rows, blocks);
  } else {
    partialLosses[invocation] = softmaxLossBackward(last, invocation, rows, blocks);
  }
  synchronize();
  if (count > 3u) {
    backward(last, third.activation, invocation, rows, blocks);
    last = third;
  }
  if (count > 2u) {
    backward(last, second.activation, invocation, rows, blocks);
    last = second;
  }
  if (count > 1u) {
    backward(last, first.activation, invocation, rows, blocks);
  }
  weightBackward(first, invocation, rows, blocks);
  if (invocation == 0u) {
    appendLoss(step);
  }
}
