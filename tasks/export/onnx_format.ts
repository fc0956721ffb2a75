/**
 * The part of the ONNX format that exports use, and a graph that is built in it. Field numbers come from the public schema
 * (ONNX, "Open Neural Network Exchange Intermediate Representation Specification").
 */

// deno-lint-ignore no-import-prefix -- in deno.json every task would download it
import protobuf from "npm:protobufjs@8.8.1";

/** The operators of 2023, the first with GELU; every runtime of today has them. */
const OPSET = 20;
const IR_VERSION = 9;
const ML_OPSET = 3;

const FLOAT = 1;
const INT64 = 7;
const STRING = 8;
const DOUBLE = 11;
const TYPES = { float: FLOAT, double: DOUBLE, int64: INT64, string: STRING } as const;

const { root } = protobuf.parse(`
  syntax = "proto3";
  message Model {
    int64 ir_version = 1; string producer_name = 2; string producer_version = 3; Graph graph = 7;
    repeated Opset opset_import = 8; repeated Property metadata_props = 14;
  }
  message Opset { string domain = 1; int64 version = 2; }
  message Property { string key = 1; string value = 2; }
  message Graph {
    repeated Node node = 1; string name = 2; repeated Tensor initializer = 5; repeated Value input = 11;
    repeated Value output = 12;
  }
  message Node {
    repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
    repeated Attribute attribute = 5; string domain = 7;
  }
  message Attribute {
    string name = 1; float f = 2; int64 i = 3; bytes s = 4; repeated int64 ints = 8; repeated bytes strings = 9;
    int32 type = 20;
  }
  message Tensor {
    repeated int64 dims = 1; int32 data_type = 2; repeated bytes string_data = 6; string name = 8; bytes raw_data = 9;
  }
  message Value { string name = 1; Type type = 2; }
  message Type { TensorType tensor_type = 1; }
  message TensorType { int32 elem_type = 1; Shape shape = 2; }
  message Shape { repeated Dimension dim = 1; }
  message Dimension { int64 dim_value = 1; string dim_param = 2; }
`);

const encoder = new TextEncoder();

/** What an attribute of an operator may be. */
type Attribute = { f: number } | { i: number } | { s: string } | { ints: number[] } | { strings: string[] };

/** Numbers of a constant. */
type Numbers = Float32Array | Float64Array | BigInt64Array;

/** Collects the operators of a graph, and encodes it. */
export class OnnxGraph {
  readonly #nodes: Record<string, unknown>[] = [];
  readonly #constants: Record<string, unknown>[] = [];
  readonly #inputs: Record<string, unknown>[] = [];
  readonly #outputs: Record<string, unknown>[] = [];
  readonly #taken: Set<string>;

  constructor(reserved: readonly string[]) {
    this.#taken = new Set(reserved);
  }

  input(name: string, type: keyof typeof TYPES, width: number): string {
    this.#inputs.push(valueOf(name, type, [width]));
    return name;
  }

  /** An operator with one output; the output's name. */
  add(op: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}, domain = ""): string {
    const output = this.#fresh(op);
    const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...encodeAttribute(value) }));
    this.#nodes.push({ opType: op, input: inputs, output: [output], name: output, attribute, domain });
    return output;
  }

  /** The value as another type of number. */
  cast(value: string, type: "float" | "double" | "int64"): string {
    return this.add("Cast", [value], { to: { i: TYPES[type] } });
  }

  constant(dims: readonly number[], data: Numbers | readonly string[]): string {
    const name = this.#fresh("constant");
    this.#constants.push({ name, dims, ...contentOf(data) });
    return name;
  }

  /** Makes a value an output of the graph, under a name of its own. */
  output(name: string, value: string, type: keyof typeof TYPES, dims: readonly number[]): void {
    this.#nodes.push({ opType: "Identity", input: [value], output: [name], name: `${name} out` });
    this.#outputs.push(valueOf(name, type, dims));
  }

  encode(name: string, version: string, properties: Record<string, string>): Uint8Array<ArrayBuffer> {
    const type = root.lookupType("Model");
    const bytes = type.encode(type.fromObject({
      irVersion: IR_VERSION,
      producerName: "backhand",
      producerVersion: version,
      opsetImport: [{ domain: "", version: OPSET }, { domain: "ai.onnx.ml", version: ML_OPSET }],
      metadataProps: Object.entries(properties).map(([key, value]) => ({ key, value })),
      graph: { name, node: this.#nodes, initializer: this.#constants, input: this.#inputs, output: this.#outputs },
    })).finish();
    return Uint8Array.from(bytes);
  }

  #fresh(stem: string): string {
    let name = `${stem}_${this.#taken.size}`;
    while (this.#taken.has(name)) name += "_";
    this.#taken.add(name);
    return name;
  }
}

/** A value [N, ...dims] and its type. */
function valueOf(name: string, type: keyof typeof TYPES, dims: readonly number[]): Record<string, unknown> {
  const dim = [{ dimParam: "N" }, ...dims.map((dimValue) => ({ dimValue }))];
  return { name, type: { tensorType: { elemType: TYPES[type], shape: { dim } } } };
}

function contentOf(data: Numbers | readonly string[]): Record<string, unknown> {
  if (!ArrayBuffer.isView(data)) return { dataType: STRING, stringData: data.map((text) => encoder.encode(text)) };
  const dataType = data instanceof BigInt64Array ? INT64 : data instanceof Float64Array ? DOUBLE : FLOAT;
  return { dataType, rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}

function encodeAttribute(value: Attribute): Record<string, unknown> {
  if ("f" in value) return { ...value, type: 1 };
  if ("i" in value) return { ...value, type: 2 };
  if ("s" in value) return { s: encoder.encode(value.s), type: 3 };
  if ("ints" in value) return { ...value, type: 7 };
  return { strings: value.strings.map((text) => encoder.encode(text)), type: 8 };
}
