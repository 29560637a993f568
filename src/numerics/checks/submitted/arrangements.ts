/** The numbers of a right gradient at wrong places: other axes, other blocks, other rows. */
import { type Architecture, type Block, blocks, plan } from '../../network/architecture.ts';
import { cosine } from './fit.ts';
import type { Mistake } from './mistakes.ts';

/** Numbers that a block may hold instead of its own. */
export interface Arrangement {
  /** null if they are its own. */
  readonly kind: Mistake | null;
  readonly clauses: readonly string[];
  readonly numbers: Float64Array;
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
}

/**
 * @param gradient packed
 * @param ratio ‖given‖ / ‖right‖ of the block if numbers in another order would explain it, else null
 */
export function* listArrangements(
  gradient: Float64Array,
  block: Block,
  { architecture, given, orders }: Submission,
  ratio: number | null,
): Generator<Arrangement> {
  const all = blocks(architecture);
  const right = gradient.subarray(block.start, block.end);
  yield { kind: null, clauses: [], numbers: right };
  if (ratio !== null) yield* listTransposed(right, block, architecture);
  yield* listSwapped(gradient, block, all, orders);
  if (ratio !== null && all.slice(-2).some(({ name }) => name === block.name)) {
    yield* listClassOrders(right, given.subarray(block.start, block.end), architecture.classes, ratio);
  }
}

/** Weights with their axes in another order; those of pixels and of volumes of convolutions also have the axes of their inputs. */
function* listTransposed(
  right: Float64Array,
  block: Block,
  architecture: Architecture,
): Generator<Arrangement> {
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
      yield { kind: 'transposed', clauses: [clause], numbers: reorderAxes(right, sizes, order) };
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

/** Stores an array in C order with its axes in another order, as NumPy's `transpose(order).ravel()`. */
function reorderAxes(values: Float64Array, sizes: readonly number[], order: readonly number[]): Float64Array {
  const strides = sizes.map(() => 0);
  let stride = 1;
  for (const axis of order.toReversed()) {
    strides[axis] = stride;
    stride *= sizes[axis]!;
  }
  const stored = new Float64Array(values.length);
  const index = sizes.map(() => 0);
  let to = 0;
  for (const value of values) {
    stored[to] = value;
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      to += strides[axis]!;
      if (++index[axis]! < sizes[axis]!) break;
      to -= sizes[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return stored;
}

/** The numbers of another block of the same size, or of a vector that is packed in another order. */
function* listSwapped(
  gradient: Float64Array,
  block: Block,
  all: PackingOrder,
  orders: readonly PackingOrder[],
): Generator<Arrangement> {
  const size = block.end - block.start;
  for (const { name, start, end } of all) {
    if (name === block.name || end - start !== size) continue;
    const numbers = gradient.subarray(start, end);
    yield { kind: 'swapped-blocks', clauses: [`the numbers are those of ${name}`], numbers };
  }
  const names = (order: PackingOrder) => order.map(({ name }) => name).join(', ');
  for (const order of orders) {
    const clauses = [`the blocks are packed as ${names(order)} instead of ${names(all)}`];
    yield { kind: 'swapped-blocks', clauses, numbers: readPacked(gradient, order, block) };
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
  const whole = { start: 0, end: right.length };
  const similar = orders.map((order) => Math.abs(cosine(given, readPacked(right, order, whole))));
  return [...orders.keys()].sort((a, b) => similar[b]! - similar[a]!).map((o) => orders[o]!);
}

/** The numbers at the place of `block` in a vector that holds the blocks in the given order. */
function readPacked(
  gradient: Float64Array,
  order: PackingOrder,
  block: Pick<Block, 'start' | 'end'>,
): Float64Array {
  const numbers = new Float64Array(block.end - block.start);
  let at = 0;
  for (const { start, end } of order) {
    const next = at + end - start;
    const [from, to] = [Math.max(at, block.start), Math.min(next, block.end)];
    if (from < to) numbers.set(gradient.subarray(start + from - at, start + to - at), from - block.start);
    at = next;
  }
  return numbers;
}

/** Rows of the last layer in an order of other classes: the nearest row for each, if that is a permutation. */
function* listClassOrders(
  right: Float64Array,
  given: Float64Array,
  classes: number,
  ratio: number,
): Generator<Arrangement> {
  const size = right.length / classes;
  const distance = (row: number, other: number, factor: number) => {
    let squares = 0;
    for (let i = 0; i < size; i++)
      squares += (given[row * size + i]! - factor * right[other * size + i]!) ** 2;
    return squares;
  };
  const rows = Array.from({ length: classes }, (_, k) => k);
  for (const factor of [ratio, -ratio]) {
    const order = rows.map((row) => {
      const distances = rows.map((other) => distance(row, other, factor));
      return distances.indexOf(Math.min(...distances));
    });
    if (new Set(order).size < classes) continue;
    const moved = order.flatMap((other, row) => (other === row ? [] : [`row ${row} holds class ${other}`]));
    const shown = `${moved.slice(0, MOST_SHOWN).join(', ')}${moved.length > MOST_SHOWN ? ', …' : ''}`;
    const numbers = new Float64Array(right.length);
    for (const [row, other] of order.entries()) {
      numbers.set(right.subarray(other * size, (other + 1) * size), row * size);
    }
    yield { kind: 'permuted-classes', clauses: [`the classes are in another order: ${shown}`], numbers };
  }
}
