/** Follows the images through the nodes of an ONNX graph to its output. */
import { quote, rejectModelFile } from '../models/file-error.ts';
import { ONE_CLASS } from '../models/foreign-files.ts';
import { type Chain, isBinary, type OnnxOperand, rejectNode } from './chain.ts';
import type { OnnxGraph, OnnxNode, OnnxValue } from './message.ts';
import { OPERATORS } from './operators.ts';
import { UNSCALED } from './scaling.ts';

/**
 * Applies each node to what is known of its inputs.
 * @param sizes of the axes of an image; null if they are unknown
 */
export function followNodes(
  { nodes, initializers }: OnnxGraph,
  input: OnnxValue,
  sizes: readonly number[] | null,
): ReadonlyMap<string, OnnxOperand> {
  const values = new Map<string, OnnxOperand>();
  for (const tensor of initializers) values.set(tensor.name, { kind: 'constant', tensor, transposed: false });
  const known = { sizes: sizes ?? [], axes: [...(sizes ?? []).keys()], isReshaped: sizes === null };
  const start = { scaling: UNSCALED, layers: [], ...known };
  values.set(input.name, { kind: 'chain', ...start, stage: 'input' });
  for (const node of nodes) {
    const operands = node.inputs.map((name) =>
      name === ''
        ? undefined
        : (values.get(name) ?? rejectNode(node, `uses ${quote(name)} before it is computed`)),
    );
    const result = apply(node, operands);
    for (const [n, name] of node.outputs.entries())
      values.set(name, n === 0 ? result : { kind: 'other', node });
  }
  return values;
}

function apply(node: OnnxNode, operands: readonly (OnnxOperand | undefined)[]): OnnxOperand {
  const isNetwork = operands.some((each) => each?.kind === 'chain' || each?.kind === 'complement');
  const operator =
    node.domain === '' && Object.hasOwn(OPERATORS, node.opType) ? OPERATORS[node.opType] : null;
  if (operator && (isNetwork || CONSTANT_OPERATORS.has(node.opType))) return operator(operands, node);
  const isFinal = operands.every((each) => each?.kind !== 'chain' || each.stage === 'probabilities');
  return isFinal ? { kind: 'other', node } : rejectNode(node);
}

/** Operators that are also applied to weights and other constants. */
const CONSTANT_OPERATORS: ReadonlySet<string> = new Set(['Identity', 'Cast', 'Transpose', 'Constant']);

/** The output that is a network; logits and probabilities may both be outputs, and a label beside them. */
export function findNetwork({ outputs }: OnnxGraph, values: ReadonlyMap<string, OnnxOperand>): Chain {
  const found = outputs.map(
    ({ name }) => values.get(name) ?? rejectModelFile(`its output ${quote(name)} is not computed`),
  );
  const chains = found.filter((each) => each.kind === 'chain').filter(({ layers }) => layers.length > 0);
  const chain = chains.toSorted((a, b) => b.layers.length - a.layers.length)[0];
  if (chain === undefined) {
    const last = found.find((each) => each.kind === 'other');
    return last
      ? rejectNode(last.node, 'is the output; the output must be logits or probabilities')
      : rejectModelFile('its graph has no layer');
  }
  const weights = chain.layers.at(-1)!.weights.data;
  if (chains.some(({ layers }) => layers.at(-1)!.weights.data !== weights))
    rejectModelFile('its graph has outputs of several layers; keep the probabilities only');
  const last = chain.layers.at(-1)!.activation;
  if (last !== null && !isBinary({ ...chain, stage: 'activations' })) {
    const allowed = 'only Softmax or nothing, or Sigmoid after one unit, may';
    const multilabel = last.kind === 'sigmoid' ? `, as in a multilabel classifier; ${ONE_CLASS}` : '';
    rejectNode(last.node, `follows the last layer${multilabel}; ${allowed}`);
  }
  return chain;
}
