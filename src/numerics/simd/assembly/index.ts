/** What the kernel can be asked to do. All it knows is in its memory, whose map is addresses.ts. */
import {
  ALL_ROWS, ALL_ROWS_LENGTH, APPLY, AUGMENTED, BATCH, CLAIM, CLIP_NORM, CLIP_SCALE, COPIED, CORRECT_SUM, GRADIENT_NORM, GROUP, HITS, INPUTS, ITEMS,
  ITEM_EXAMPLES, LOSSES, LOSS_SUM, MODE, MODE_BUFFERED, MODE_GRADIENT, OUTPUTS, OUTPUT_GRADIENT, OUTPUT_VALUES, PARTIALS, PASS,
  QUITS, RECORDS, RECORD_STRIDE, SCRATCH, SCRATCH_STRIDE, STANDARDIZED, STEP, UPDATE, ZERO_RECORD,
} from '../addresses.ts';
import { layerAt, layerCount, vectorsOf } from './layer.ts';
import { makePackTables } from './lists.ts';
import { softmax } from './loss.ts';
import { augmentAll, backward, foldMean, forward, listPixels, measure } from './pass.ts';
import { awaitChange, close, finish, isClosed, itemsOf, open, phaseOf, take } from './threads.ts';
import { transpose } from './transpose.ts';
import { applyChunk, chunksOf, updateChunk } from './update.ts';
import { madd } from './vectors.ts';

/** Brings the rows of examples first … last − 1 into their records; Node's part, because only it sees the data set. */
@external('env', 'copyRows')
declare function copyRows(first: i32, last: i32): void;

/** Once, when the memory has been laid out. */
export function prepare(): void { makePackTables(); }

/** After the weights were written from outside. */
export function transposeAll(): void {
  for (let l = layerCount(); l > 1; l--) transpose(layerAt(l), 0, load<i32>(layerAt(l), INPUTS));
}

/** a·b + c as this processor computes it: with one rounding or two. */
export function multiplyAdd(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(madd(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c)), 0);
}

@inline function scratchOf(rank: i32): usize {
  return <usize>load<u32>(SCRATCH) + <usize>rank * <usize>load<u32>(SCRATCH_STRIDE);
}

/** √Σ of the chunks' squares, in the order of the chunks, whoever computed them. */
function norm(items: i32): f64 {
  const partials: usize = load<u32>(PARTIALS);
  let sum: f64 = 0;
  for (let item = 0; item < items; item++) sum += load<f64>(partials + (<usize>item << 3));
  return Math.sqrt(sum);
}

/** Bytes at the start of a thread's scratch that hold the biases of the first layer with the mean folded in. */
function foldedBytes(): usize {
  return <usize>vectorsOf(load<i32>(layerAt(1), OUTPUTS)) << 4;
}

/** Examples of one item, there and back. */
function passItem(item: i32, scratch: usize): void {
  const size = load<i32>(ITEM_EXAMPLES);
  const last = min((item + 1) * size, load<i32>(BATCH));
  const folded = load<i32>(STANDARDIZED) ? scratch : 0;
  for (let n = item * size; n < last; n += GROUP) {
    const end = min(n + GROUP, last);
    if (!load<i32>(COPIED)) copyRows(n, end);
    if (load<i32>(AUGMENTED)) augmentAll(n, end, scratch + foldedBytes());
    listPixels(n, end);
    forward(n, end, true, folded);
    measure(n, end);
    backward(n, end);
  }
}

/** Chunk `item`, counted through all layers. */
function updateItem(item: i32, apply: bool, scratch: usize): void {
  let l = 1;
  let chunk = item;
  for (let chunks = chunksOf(l); chunk >= chunks; chunks = chunksOf(l)) {
    chunk -= chunks;
    l++;
  }
  if (apply) applyChunk(l, chunk, load<f32>(CLIP_SCALE));
  else updateChunk(l, chunk, item, scratch);
}

/** What follows the phase whose last item is finished. */
function advance(phase: i32): void {
  if (phase == PASS) {
    open(UPDATE);
    return;
  }
  const mode = load<i32>(MODE);
  if (phase == UPDATE && mode >= MODE_BUFFERED) {
    const length = norm(itemsOf(UPDATE));
    const clip: f64 = load<f32>(CLIP_NORM);
    store<f64>(GRADIENT_NORM, length);
    store<f32>(CLIP_SCALE, clip > 0 ? <f32>min<f64>(1, clip / (length + 1e-6)) : 1);
    if (mode != MODE_GRADIENT) {
      open(APPLY);
      return;
    }
  }
  close();
}

/** Takes items until the step is over (rank 0) or the job (the others). */
function takePart(rank: i32): void {
  const scratch = scratchOf(rank);
  let foldedStep = 0;
  while (true) {
    const claim = atomic.load<i32>(CLAIM);
    const phase = phaseOf(claim);
    const closed = isClosed(claim);
    if (closed && (rank == 0 || load<i32>(QUITS))) return;
    const item = closed ? -1 : take(claim, rank);
    if (item < 0) awaitChange(claim);
    else {
      if (phase == PASS) {
        const step = load<i32>(STEP);
        if (load<i32>(STANDARDIZED) && step != foldedStep) foldMean(scratch);
        foldedStep = step;
        passItem(item, scratch);
      } else {
        updateItem(item, phase == APPLY, scratch);
      }
      if (finish(phase)) advance(phase);
    }
  }
}

function sumUp(): void {
  const losses: usize = load<u32>(LOSSES);
  const hits: usize = load<u32>(HITS);
  const batch: usize = load<u32>(BATCH);
  let loss: f64 = 0;
  let correct = 0;
  for (let n: usize = 0; n < batch; n++) {
    loss += <f64>load<f32>(losses + (n << 2));
    correct += <i32>load<u8>(hits + n);
  }
  store<f64>(LOSS_SUM, loss);
  store<i32>(CORRECT_SUM, correct);
}

/** The list of all examples of the batch, of even length. */
function listBatch(): void {
  const list: usize = load<u32>(ALL_ROWS);
  const batch = load<i32>(BATCH);
  const stride = load<i32>(RECORD_STRIDE);
  for (let n = 0; n < batch; n++) store<i32>(list + (<usize>n << 2), n * stride);
  store<u32>(list + (<usize>batch << 2), load<u32>(ZERO_RECORD));
  store<i32>(ALL_ROWS_LENGTH, (batch + 1) & ~1);
}

/** One step on the batch whose labels, and rows unless they are copied on the way, are in place. */
export function step(): void {
  let items = 0;
  for (let l = layerCount(); l > 0; l--) items += chunksOf(l);
  const size = load<i32>(ITEM_EXAMPLES);
  store<i32>(ITEMS, (load<i32>(BATCH) + size - 1) / size);
  store<i32>(ITEMS + 4 * UPDATE, items);
  store<i32>(ITEMS + 4 * APPLY, items);
  store<i32>(STEP, load<i32>(STEP) + 1);
  listBatch();
  open(PASS);
  takePart(0);
  sumUp();
}

/** What ranks 1 … n − 1 do until told to quit. */
export function serve(rank: i32): void { takePart(rank); }

/** Ends every `serve`. */
export function quit(): void {
  store<i32>(QUITS, 1);
  close();
}

/** After weights were written: what standardisation adds to the biases, once for many predictions. */
export function fold(): void {
  if (load<i32>(STANDARDIZED)) foldMean(scratchOf(0));
}

function forwardOnly(count: i32): void {
  listPixels(0, count);
  forward(0, count, false, load<i32>(STANDARDIZED) ? scratchOf(0) : 0);
}

/** Logits of the examples in the first `count` records, and their probabilities where dz would be. */
export function predict(count: i32): void {
  forwardOnly(count);
  const layer = layerAt(layerCount());
  const stride: usize = load<u32>(RECORD_STRIDE);
  let record: usize = load<u32>(RECORDS);
  for (let n = 0; n < count; n++, record += stride) {
    softmax(
      record + <usize>load<u32>(layer, OUTPUT_GRADIENT), record + <usize>load<u32>(layer, OUTPUT_VALUES),
      load<i32>(layer, OUTPUTS),
    );
  }
}

/** Loss and hits of the batch in the records, whose labels are in place. */
export function evaluate(): void {
  const count = load<i32>(BATCH);
  forwardOnly(count);
  measure(0, count);
  sumUp();
}
