/** Orders the layers of a file by the numbers in their names and by their shapes. */
import type { LayerTensors } from '../arrays/tensor.ts';
import { quote, rejectModelFile } from './file-error.ts';

interface NamedLayer extends LayerTensors {
  readonly name: string;
  /** The name without its numbers. Layers of the same kind are ordered by their numbers. */
  readonly kind: string;
}

/** Limit of the search: it takes too long for more layers. Files with more are rejected later. */
const MAX_SEARCHED = 9;

/**
 * Orders layers whose keys are module paths, such as "0" and "2", "fc1" and "fc2", "hidden" and "out". The order in
 * the file is not used, because files sort names alphabetically. Layers whose names differ only in numbers are
 * ordered by these numbers; shapes decide the rest.
 * @param mayBeFirst whether a layer with this number of inputs can be the first one
 * @returns the layers sorted by name if no order fits, or if there are too many to search
 * @throws AtelierError `invalid-model-file` if several orders fit
 */
export function orderByShape(
  layers: ReadonlyMap<string, LayerTensors>,
  mayBeFirst: (inputs: number) => boolean,
): LayerTensors[] {
  const { compare } = new Intl.Collator('en', { numeric: true });
  const sorted: NamedLayer[] = [...layers]
    .toSorted(([a], [b]) => compare(a, b))
    .map(([name, tensors]) => ({ ...tensors, name, kind: name.replace(/\d+/g, '#') }));
  if (sorted.length > MAX_SEARCHED) return sorted;
  const [order, other] = fittingOrders(sorted, mayBeFirst);
  if (order === undefined) return sorted;
  if (other === undefined) return order;
  const differs = order.findIndex(({ name }, i) => name !== other[i]!.name);
  const [one, two] = [order[differs]!.name, other[differs]!.name];
  return rejectModelFile(
    `its shapes do not determine whether layer ${quote(one)} or ${quote(two)} is first; number them, as in "0.weight", "2.weight"`,
  );
}

/** Finds up to two orders in which the inputs of each layer match the units of the one before. */
function fittingOrders(
  sorted: readonly NamedLayer[],
  mayBeFirst: (inputs: number) => boolean,
): NamedLayer[][] {
  const orders: NamedLayer[][] = [];
  function extend(order: readonly NamedLayer[], rest: readonly NamedLayer[], inputs: number): void {
    if (rest.length === 0) orders.push([...order]);
    const kinds = new Set<string>();
    for (const next of rest) {
      if (orders.length === 2) return;
      // Only the lowest remaining number of each kind is a candidate.
      if (kinds.has(next.kind)) continue;
      kinds.add(next.kind);
      const [units, takes] = next.weights.shape;
      if (units === undefined || takes !== inputs) continue;
      extend(
        [...order, next],
        rest.filter((each) => each !== next),
        units,
      );
    }
  }
  const firsts = sorted.map(({ weights }) => weights.shape[1] ?? 0).filter(mayBeFirst);
  for (const inputs of new Set(firsts)) extend([], sorted, inputs);
  return orders;
}
