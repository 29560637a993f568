/** Evaluates an exported ONNX file in float64, from its bytes alone, to verify exports. */
import { argmax, softmax } from '../../numerics/reference/cross-entropy.ts';
import { quote, rejectModelFile } from '../models/file-error.ts';
import { ELEMENT_TYPES, IR_VERSION, type OnnxModel, type OnnxNode, OPSET } from './message.ts';
import { readOnnx } from './read.ts';

export interface OnnxOutputs {
  /** n × classes */
  readonly probabilities: Float64Array;
  /** n */
  readonly labels: Float64Array;
}

/** rows × columns, row-major. A scalar is 1 × 1, a vector 1 × n. Initializers are float32, computed values float64. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array | Float64Array;
}

interface Computed extends Matrix {
  readonly data: Float64Array;
}

type Operator = (inputs: readonly Matrix[], node: OnnxNode) => Computed;

/** The operators that exports use: https://onnx.ai/onnx/operators */
const OPERATORS: Readonly<Record<string, Operator>> = {
  Cast: ([x], node) => {
    assertAttribute(node, 'to', ELEMENT_TYPES.float);
    return copy(x!);
  },
  Sub: ([x, y]) => map(x!, (value) => value - scalar(y)),
  Div: ([x, y]) => map(x!, (value) => value / scalar(y)),
  Gemm: ([x, w, b], node) => {
    assertAttribute(node, 'transB', 1);
    return gemm(x!, w, b);
  },
  Relu: ([x]) => map(x!, (value) => Math.max(0, value)),
  LeakyRelu: ([x], node) => {
    const alpha = attribute(node, 'alpha');
    return map(x!, (value) => (value < 0 ? alpha * value : value));
  },
  Tanh: ([x]) => map(x!, Math.tanh),
  Sigmoid: ([x]) => map(x!, (value) => 1 / (1 + Math.exp(-value))),
  Mul: ([x, y], node) => multiply(x!, y, node),
  Softmax: ([x], node) => {
    assertAttribute(node, 'axis', 1);
    const out = copy(x!);
    for (const row of matrixRows(out)) softmax(row, row);
    return out;
  },
  ArgMax: ([x], node) => {
    assertAttribute(node, 'axis', 1);
    assertAttribute(node, 'keepdims', 0);
    return { rows: x!.rows, columns: 1, data: Float64Array.from(matrixRows(copy(x!)), argmax) };
  },
};

/**
 * @param images n × d0 pixels, 0–255; divided by 255 first if the input of the graph is float
 * @throws AtelierError `invalid-model-file` if the graph is not one that `onnxModel` builds
 */
export function evaluateOnnx(bytes: Uint8Array, images: Uint8Array): OnnxOutputs {
  const { graph, irVersion, opset } = readOnnx(bytes);
  if (irVersion !== IR_VERSION || opset !== OPSET) {
    rejectModelFile(
      `IR ${irVersion} with opset ${opset} is not supported; it must be IR ${IR_VERSION} with opset ${OPSET}`,
    );
  }
  const values = new Map<string, Matrix>();
  for (const { name, dims, data } of graph.initializers) {
    if (dims.length > 2 || !(data instanceof Float32Array))
      rejectModelFile(`initializer ${quote(name)} is not a float32 matrix`);
    const columns = dims.at(-1) ?? 1;
    values.set(name, { rows: dims.length === 2 ? dims[0]! : 1, columns, data });
  }
  values.set('image', readImages(graph, images));
  const computed = new Map<string, Computed>();
  for (const node of graph.nodes) {
    const result = compute(node, values);
    values.set(node.outputs[0]!, result);
    computed.set(node.outputs[0]!, result);
  }
  const [probabilities, labels] = graph.outputs.map(({ name }) => computed.get(name));
  if (probabilities === undefined || labels === undefined || graph.outputs[0]!.name !== 'probabilities') {
    return rejectModelFile('its outputs are not "probabilities" and "label"');
  }
  return { probabilities: probabilities.data, labels: labels.data };
}

function readImages({ inputs: [input] }: OnnxModel['graph'], images: Uint8Array): Matrix {
  const columns = input?.shape[1];
  if (input?.name !== 'image' || typeof columns !== 'number' || !(columns > 0)) {
    return rejectModelFile('its input is not "image", or the number of pixels is not fixed');
  }
  const rows = images.length / columns;
  if (!Number.isInteger(rows))
    rejectModelFile(`its input has ${columns} pixels per image, which differs from the data set`);
  // Same as NumPy's images / 255 in float32, which a client would send.
  const data = new Float64Array(images);
  if (input.elementType === 'uint8') return { rows, columns, data };
  return map({ rows, columns, data }, (pixel) => Math.fround(pixel / 255));
}

function compute(node: OnnxNode, values: ReadonlyMap<string, Matrix>): Computed {
  const operator = Object.hasOwn(OPERATORS, node.opType) ? OPERATORS[node.opType] : undefined;
  if (operator === undefined) return rejectModelFile(`operator ${quote(node.opType)} is not supported`);
  const inputs = node.inputs.map(
    (name) => values.get(name) ?? rejectModelFile(`${quote(name)} is used before it is computed`),
  );
  if (inputs.length === 0) rejectModelFile(`node ${quote(node.name)} has no inputs`);
  return operator(inputs, node);
}

/** y = x wᵀ + b:  rows × units, from rows × inputs, units × inputs and 1 × units. */
function gemm(x: Matrix, w: Matrix | undefined, b: Matrix | undefined): Computed {
  if (w === undefined || b === undefined || w.columns !== x.columns || b.columns !== w.rows || b.rows !== 1) {
    return rejectModelFile('the shapes of a Gemm do not match');
  }
  const [units, inputs] = [w.rows, w.columns];
  const data = new Float64Array(x.rows * units);
  for (let n = 0; n < x.rows; n++) {
    for (let i = 0; i < units; i++) {
      let sum = b.data[i]!;
      for (let j = 0; j < inputs; j++) sum += w.data[i * inputs + j]! * x.data[n * inputs + j]!;
      data[n * units + i] = sum;
    }
  }
  return { rows: x.rows, columns: units, data };
}

/** Number by number, for two of one shape. */
function multiply(x: Matrix, y: Matrix | undefined, { name }: OnnxNode): Computed {
  if (y?.rows !== x.rows || y.columns !== x.columns)
    return rejectModelFile(`the shapes of the factors of ${quote(name)} differ`);
  return {
    rows: x.rows,
    columns: x.columns,
    data: Float64Array.from(x.data, (value, i) => value * y.data[i]!),
  };
}

function map({ rows, columns, data }: Matrix, change: (value: number) => number): Computed {
  const changed = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) changed[i] = change(data[i]!);
  return { rows, columns, data: changed };
}

const copy = (x: Matrix) => map(x, (value) => value);

function matrixRows({ rows, columns, data }: Computed): Float64Array[] {
  return Array.from({ length: rows }, (_, n) => data.subarray(n * columns, (n + 1) * columns));
}

function scalar(y: Matrix | undefined): number {
  return y?.data.length === 1
    ? y.data[0]!
    : rejectModelFile('the subtrahend or divisor must be a single number');
}

function attribute(node: OnnxNode, name: string): number {
  const value = Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined;
  if (value && 'int' in value) return value.int;
  if (value && 'float' in value) return value.float;
  return rejectModelFile(`${node.opType} has no attribute ${name}`);
}

function assertAttribute(node: OnnxNode, name: string, wanted: number): void {
  const found = attribute(node, name);
  if (found !== wanted)
    rejectModelFile(`${node.opType} with ${name} ${found} is not supported; it must be ${wanted}`);
}
