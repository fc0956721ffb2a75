/** The part of a Python file that is the network, and its weights as PyTorch names and shapes them. */

import { showName } from "../../lib/base/printable.ts";
import { encodedNames } from "../../lib/data/table.ts";
import type { ExportedColumn, ExportedLayer } from "./exported_layers.ts";
import { type ExportedModel, indent, literal } from "./exported_model.ts";

/** Weights by their names. */
type TorchWeights = Record<string, { shape: number[]; data: Float32Array<ArrayBuffer> }>;

/** The weights under the names of the module's `state_dict`; a weight is [out, in] there. */
export function torchWeights({ members }: ExportedModel): TorchWeights {
  const weights: TorchWeights = {};
  members.forEach((layers, member) => {
    const prefix = members.length === 1 ? "layers" : `members.${member}.layers`;
    layers.forEach((layer, i) => Object.assign(weights, weightsOf(layer, `${prefix}.${i}`)));
  });
  return weights;
}

function weightsOf(layer: ExportedLayer, name: string): TorchWeights {
  if (layer.kind === "Columns") {
    return Object.assign({}, ...layer.columns.map((column, i) => columnWeights(column, `${name}.${i}`)));
  }
  if (layer.kind !== "Linear") return {};
  const { inputs, outputs, weight, bias } = layer;
  const data = Float32Array.from(weight, (_, at) => weight[(at % inputs) * outputs + Math.floor(at / inputs)]);
  return { [`${name}.weight`]: { shape: [outputs, inputs], data }, [`${name}.bias`]: { shape: [outputs], data: bias } };
}

function columnWeights(column: ExportedColumn, name: string): TorchWeights {
  switch (column.kind) {
    case "waves":
      return {
        [`${name}.waves`]: { shape: [column.waves.length / 2, 2], data: column.waves },
        [`${name}.mix`]: { shape: [column.mix.length / 3, 3], data: column.mix },
      };
    case "rows":
      return { [`${name}.weight`]: { shape: [column.table.length / column.width, column.width], data: column.table } };
    default:
      return {};
  }
}

/** Code that has the class of the network, and `load()`. */
export function networkOf(model: ExportedModel): string {
  const { members, scalings, inputs } = model;
  const names = encodedNames(inputs);
  const [layers] = members;
  const columns = layers.flatMap((layer) => layer.kind === "Columns" ? layer.columns : []);
  const kinds = new Set<string>([...layers, ...columns].map(({ kind }) => kind));
  const parts = Object.entries(CLASSES).filter(([kind]) => kinds.has(kind)).map(([_, text]) => text);
  parts.push(`class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
${indent(layers.flatMap((layer) => linesOf(layer, names)), 12)}        )

    def forward(self, x):
        """The last layer's output for encoded and scaled rows [batch, ${scalings.length}]."""
        return self.layers(x)
`);
  if (members.length > 1) {
    parts.push(`class Members(nn.Module):
    """Networks whose answers are averaged."""

    def __init__(self):
        super().__init__()
        self.members = nn.ModuleList(Network() for _ in range(${members.length}))

    def forward(self, x):
        """What each network puts out [${members.length}, batch, outputs] for rows as a Network takes them."""
        return torch.stack([member(x) for member in self.members])
`);
  }
  parts.push(`def load(path=WEIGHTS):
    """The network with its trained weights."""
    network = ${members.length > 1 ? "Members" : "Network"}()
    network.load_state_dict(load_file(path))
    return network.eval()
`);
  return parts.join("\n\n");
}

function linesOf(layer: ExportedLayer, names: readonly string[]): string[] {
  switch (layer.kind) {
    case "Columns":
      return ["Columns([", ...layer.columns.map((own, i) => `    ${columnOf(own)},  # ${showName(names[i])}`), "]),"];
    case "Linear":
      return [`nn.Linear(${layer.inputs}, ${layer.outputs}),`];
    case "LeakyReLU":
      return [`nn.LeakyReLU(${layer.slope}),`];
    case "GELU":
      return [`nn.GELU(approximate="tanh"),`];
    case "Dropout":
      return [`nn.Dropout(${layer.rate}),`];
    case "ColumnDropout":
      return [`ColumnDropout(${layer.rate}, ${literal(layer.widths)}),`];
    default:
      return [`nn.${layer.kind}(),`];
  }
}

function columnOf(column: ExportedColumn): string {
  switch (column.kind) {
    case "number":
      return "nn.Identity()";
    case "waves":
      return "Waves()";
    case "bins":
      return `Bins(${literal([...column.edges])})`;
    case "one-hot":
      return column.unseen ? `OneHot(${column.names}, ${literal(column.unseen)})` : `OneHot(${column.names})`;
    case "rows":
      return `Rows(${column.table.length / column.width}, ${column.width})`;
  }
}

/** Classes by the kind of layer or column that needs them. */
const CLASSES: Partial<Record<ExportedLayer["kind"] | ExportedColumn["kind"], string>> = {
  Columns: `class Columns(nn.ModuleList):
    """What the columns of rows [batch, columns] become, in order."""

    def forward(self, x):
        return torch.cat([column(x[:, [i]]) for i, column in enumerate(self)], dim=1)
`,
  waves: `class Waves(nn.Module):
    """The number, and three mixes of 16 waves of it."""

    def __init__(self):
        super().__init__()
        self.waves = nn.Parameter(torch.empty(16, 2))  # frequency and phase
        self.mix = nn.Parameter(torch.empty(17, 3))  # the last row is the bias

    def forward(self, x):
        frequency, phase = self.waves.unbind(dim=1)
        waves = torch.cos(2 * math.pi * frequency * x + phase)
        return torch.cat([x, waves @ self.mix[:-1] + self.mix[-1]], dim=1)
`,
  bins: `class Bins(nn.Module):
    """For each bin between edges how far the number is in it, 0 to 1; the first goes down to -3, the last up to 4."""

    def __init__(self, edges):
        super().__init__()
        self.register_buffer("edges", torch.tensor(edges), persistent=False)

    def forward(self, x):
        low, high = self.edges[:-1], self.edges[1:]
        least, most = torch.zeros_like(low), torch.ones_like(low)
        least[0], most[-1] = -3, 4
        value = torch.minimum(torch.maximum((x - low) / (high - low), least), most)
        # A bin of no width is 1 from its edge on.
        return torch.where(high > low, value, (x >= low).float())
`,
  "one-hot": `class OneHot(nn.Module):
    """A value for each name, 1 for its own. A name that training did not see is the mix of the training rows."""

    def __init__(self, names, mix=None):
        super().__init__()
        self.register_buffer("names", torch.arange(names), persistent=False)
        self.register_buffer("mix", torch.zeros(names) if mix is None else torch.tensor(mix), persistent=False)

    def forward(self, x):
        return torch.where(x < len(self.names), (x == self.names).float(), self.mix)
`,
  ColumnDropout: `class ColumnDropout(nn.Module):
    """Drops all values of a column together, in training."""

    def __init__(self, rate, widths):
        super().__init__()
        self.rate = rate
        self.register_buffer("widths", torch.tensor(widths), persistent=False)

    def forward(self, x):
        columns = torch.ones(len(x), len(self.widths), device=x.device)
        kept = nn.functional.dropout(columns, self.rate, self.training)
        return x * kept.repeat_interleave(self.widths, dim=1)
`,
  rows: `class Rows(nn.Embedding):
    """A trained row for each name; the last is for names that training did not see."""

    def forward(self, x):
        return super().forward(x[:, 0].long())
`,
};
