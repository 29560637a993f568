/** The numbers of a right gradient at wrong places: other axes, other blocks, other rows. */
import { type Architecture, type Block, blocks, plan } from '../../network/architecture.ts';
import { type Budget, gather, samplePlaces } from './effort.ts';
import { cosine } from './fit.ts';
import type { Mistake } from './mistakes.ts';

/** Numbers that a block may hold instead of its own. */
export interface Arrangement {
  /** null if they are its own. */
  readonly kind: Mistake | null;
  readonly clauses: readonly string[];
  /** Position in the packed gradient of number i of the block: an arrangement costs nothing until its numbers are read. */
  readonly at: (i: number) => number;
}

const MOST_SHOWN = 3;

/** An order in which the blocks may be packed. */
export type PackingOrder = readonly Block[];

/** The parts that the arrangements of all blocks depend on. */
export interface Submission {
  readonly architecture: Architecture;
  readonly given: Float64Array;
  /** The likely ones first. */
  readonly orders: readonly PackingOrder[];
  readonly budget: Budget;
}

/**
 * @param gradient packed
 * @param ratio ‖given‖ / ‖right‖ of the block if numbers in another order would explain it, else null
 */
export function* listArrangements(
  gradient: Float64Array,
  block: Block,
  submission: Submission,
  ratio: number | null,
): Generator<Arrangement> {
  const { architecture, orders } = submission;
  const all = blocks(architecture);
  yield { kind: null, clauses: [], at: (i) => block.start + i };
  if (ratio !== null) yield* listTransposed(block, architecture);
  yield* listSwapped(block, all, orders);
  if (ratio !== null && all.slice(-2).some(({ name }) => name === block.name)) {
    yield* listClassOrders(gradient, block, submission, ratio);
  }
}

/** Weights with their axes in another order; those of pixels and of volumes of convolutions also have the axes of their inputs. */
function* listTransposed(block: Block, architecture: Architecture): Generator<Arrangement> {
  if (block.shape.length === 1) return;
  const all = [nameAxes(block.shape, block.shape.length > 2 ? KERNEL_AXES : ['outputs', 'inputs'])];
  const layer = plan(architecture).layers.find((each) =>
    each.blocks.some(({ name }) => name === block.name),
  )!;
  const { height, width, channels } = layer.input;
  if (layer.type === 'dense' && height * width > 1) {
    const isPixels = architecture.convolutions.length === 0;
    const [sizes, names] = isPixels
      ? [[height, width, channels], PIXEL_AXES]
      : [[channels, height, width], VOLUME_AXES];
    all.push(nameAxes([block.shape[0]!, ...sizes], ['outputs', ...names]));
  }
  for (const axes of all.map((each) => each.filter(({ size }) => size > 1))) {
    const sizes = axes.map(({ size }) => size);
    for (const order of permutations(sizes.map((_, axis) => axis)).slice(1)) {
      const stored = showAxes(order.map((axis) => axes[axis]!));
      const clause = `the numbers are stored as ${stored} instead of ${showAxes(axes)}, so transpose them`;
      const source = reorderAxes(sizes, order);
      yield { kind: 'transposed', clauses: [clause], at: (i) => block.start + source(i) };
    }
  }
}

interface Axis {
  readonly size: number;
  readonly name: string;
}

const KERNEL_AXES = ['outputs', 'inputs', 'rows', 'columns'];
const PIXEL_AXES = ['rows', 'columns', 'channels'];
const VOLUME_AXES = ['channels', 'rows', 'columns'];

const nameAxes = (sizes: readonly number[], names: readonly string[]): Axis[] =>
  sizes.map((size, axis) => ({ size, name: names[axis]! }));

/** The sizes, with the names of the axes if two sizes are equal. */
function showAxes(axes: readonly Axis[]): string {
  const sizes = axes.map(({ size }) => size);
  const names = axes.map(({ name }) => name).join(' × ');
  return `${sizes.join(' × ')}${new Set(sizes).size < sizes.length ? ` (${names})` : ''}`;
}

/** In lexicographic order, the identity first. */
function permutations(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

/**
 * For number i of an array that is stored with its axes in another order, as NumPy's `transpose(order).ravel()`, its index in
 * C order.
 */
function reorderAxes(sizes: readonly number[], order: readonly number[]): (i: number) => number {
  const strides = sizes.map((_, axis) => sizes.slice(axis + 1).reduce((product, size) => product * size, 1));
  const axes = order.toReversed().map((axis) => ({ size: sizes[axis]!, stride: strides[axis]! }));
  return (i) => {
    let [index, rest] = [0, i];
    for (const { size, stride } of axes) {
      index += (rest % size) * stride;
      rest = Math.floor(rest / size);
    }
    return index;
  };
}

/** The numbers of another block of the same size, or of a vector that is packed in another order. */
function* listSwapped(
  block: Block,
  all: PackingOrder,
  orders: readonly PackingOrder[],
): Generator<Arrangement> {
  const size = block.end - block.start;
  for (const { name, start, end } of all) {
    if (name === block.name || end - start !== size) continue;
    yield { kind: 'swapped-blocks', clauses: [`the numbers are those of ${name}`], at: (i) => start + i };
  }
  const names = (order: PackingOrder) => order.map(({ name }) => name).join(', ');
  for (const order of orders) {
    const clauses = [`the blocks are packed as ${names(order)} instead of ${names(all)}`];
    const source = repack(order);
    yield { kind: 'swapped-blocks', clauses, at: (i) => source(block.start + i) };
  }
}

/** Usual orders, with that first whose vector is the most similar to the given one. */
export function likelyOrders(
  architecture: Architecture,
  right: Float64Array,
  given: Float64Array,
): PackingOrder[] {
  const all = blocks(architecture);
  const isWeights = ({ shape }: Block) => shape.length > 1;
  const [weights, others] = [all.filter(isWeights), all.filter((each) => !isWeights(each))];
  const layers = plan(architecture).layers.map((layer) => layer.blocks);
  const orders = [
    [...weights, ...others],
    [...others, ...weights],
    layers.flatMap((layer) => layer.toReversed()),
    layers.toReversed().flat(),
  ];
  const places = samplePlaces(right.length);
  const sample = gather(given, places);
  const similar = orders.map((order) => Math.abs(cosine(sample, gather(right, places.map(repack(order))))));
  return [...orders.keys()].sort((a, b) => similar[b]! - similar[a]!).map((o) => orders[o]!);
}

/** The position of a number in the packed gradient, from its position in a vector that holds the blocks in the given order. */
function repack(order: PackingOrder): (position: number) => number {
  let next = 0;
  const parts = order.map(({ start, end }) => {
    next += end - start;
    return { next, shift: end - next };
  });
  return (position) => position + parts.find((part) => position < part.next)!.shift;
}

/** Rows of the last layer in an order of other classes: the nearest row for each, if that is a permutation. */
function* listClassOrders(
  gradient: Float64Array,
  { start, end }: Block,
  submission: Submission,
  ratio: number,
): Generator<Arrangement> {
  const { classes } = submission.architecture;
  const [right, given] = [gradient.subarray(start, end), submission.given.subarray(start, end)];
  const size = right.length / classes;
  const distance = (row: number, other: number, factor: number) => {
    let squares = 0;
    for (let i = 0; i < size; i++)
      squares += (given[row * size + i]! - factor * right[other * size + i]!) ** 2;
    return squares;
  };
  const rows = Array.from({ length: classes }, (_, k) => k);
  for (const factor of [ratio, -ratio]) {
    submission.budget.left -= classes * right.length;
    if (submission.budget.left < 0) return;
    const order = rows.map((row) => {
      const distances = rows.map((other) => distance(row, other, factor));
      return distances.indexOf(Math.min(...distances));
    });
    if (new Set(order).size < classes) continue;
    const moved = order.flatMap((other, row) => (other === row ? [] : [`row ${row} holds class ${other}`]));
    const shown = `${moved.slice(0, MOST_SHOWN).join(', ')}${moved.length > MOST_SHOWN ? ', …' : ''}`;
    const at = (i: number) => start + order[Math.floor(i / size)]! * size + (i % size);
    yield { kind: 'permuted-classes', clauses: [`the classes are in another order: ${shown}`], at };
  }
}
