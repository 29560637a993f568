/** The exports of the kernel. Its state is in its memory; ../header.ts describes the header. */
import { APPLY, CHUNK_EXAMPLES, CHUNK_IMAGES, MODE_BUFFERED, MODE_GRADIENT, PASS, UPDATE } from '../constants.ts';
import {
  AUGMENTED, BATCH_LIST, BATCH_LIST_LENGTH, BATCH_SIZE, CLIP_NORM, CLIP_SCALE, CORRECT, CORRECT_SUM,
  EXAMPLES_PER_ITEM, GRADIENT_NORM, GROUP_EXAMPLES, INPUTS, ITEM_COUNTS, LOSSES, LOSS_SUM, MODE, OUTPUTS, OUTPUT_GRADIENT,
  OUTPUT_VALUES, PARTIALS, PARTNER_ROWS, PHASE, PIXEL_TILE_OFFSET, RECORDS, RECORD_STRIDE, ROWS_COPIED, SCRATCH, SCRATCH_STRIDE, SHUTDOWN,
  STANDARDIZED, STEP, THREADS, VOLUMES, VOLUMES_STRIDE, ZERO_RECORD,
} from './addresses.ts';
import { backwardImages, forwardImages } from './convolution/images.ts';
import { hasConvolutions, layerAt, layerCount, vectorCount } from './layer.ts';
import { makePackTables } from './lists.ts';
import { softmax } from './loss.ts';
import { augmentAll, backward, foldMean, forward, listPixels, computeLosses, mixAll } from './pass.ts';
import { awaitPhaseChange, beginPhase, claimItem, endStep, finishItem, hasStepEnded, itemCount, phaseNumber } from './threads.ts';
import { transpose } from './transpose.ts';
import { applyBlock, blockCount, updateBlock } from './update.ts';
import { madd } from './vectors.ts';

/** Copies the rows of examples first … last − 1 into their records. Provided by Node: it can read the data set. */
@external('env', 'copyRows')
declare function copyRows(first: i32, last: i32): void;

/** Call once, after the header has been written. */
export function prepare(): void { makePackTables(); }

/** Call after Node has written the weights. */
export function transposeAll(): void {
  for (let l = layerCount(); l > 0; l--) transpose(l, 0, load<i32>(layerAt(l), INPUTS));
}

/** a·b + c as this processor computes it: with one rounding or two. */
export function multiplyAdd(a: f32, b: f32, c: f32): f32 {
  return f32x4.extract_lane(madd(f32x4.splat(a), f32x4.splat(b), f32x4.splat(c)), 0);
}

@inline function threadScratch(rank: i32): usize {
  return <usize>load<u32>(SCRATCH) + <usize>rank * <usize>load<u32>(SCRATCH_STRIDE);
}

@inline function threadVolumes(rank: i32): usize {
  return <usize>load<u32>(VOLUMES) + <usize>rank * <usize>load<u32>(VOLUMES_STRIDE);
}

/** √Σ of the blocks' squares, in the order of the blocks, so that the result does not depend on the threads. */
function norm(items: i32): f64 {
  const partials: usize = load<u32>(PARTIALS);
  let sum: f64 = 0;
  for (let item = 0; item < items; item++) sum += load<f64>(partials + (<usize>item << 3));
  return Math.sqrt(sum);
}

/** Bytes at the start of a thread's scratch memory for the biases of the first layer with the mean folded in. */
function foldedBytes(): usize {
  return <usize>vectorCount(load<i32>(layerAt(1), OUTPUTS)) << 4;
}

@inline function pixelTile(scratch: usize): usize { return scratch + <usize>load<u32>(PIXEL_TILE_OFFSET); }

/** Examples that pass through the network together: with convolutions, whole groups. */
function chunkSize(): i32 {
  if (!hasConvolutions()) return CHUNK_EXAMPLES;
  const group = load<i32>(GROUP_EXAMPLES);
  return max(CHUNK_IMAGES / group, 1) * group;
}

/** Forward and backward pass of the examples of one item. */
function passItem(item: i32, scratch: usize, volumes: usize): void {
  const size = load<i32>(EXAMPLES_PER_ITEM);
  const last = min((item + 1) * size, load<i32>(BATCH_SIZE));
  const folded = load<i32>(STANDARDIZED) ? scratch : 0;
  const chunk = chunkSize();
  for (let n = item * size; n < last; n += chunk) {
    const end = min(n + chunk, last);
    if (!load<i32>(ROWS_COPIED)) copyRows(n, end);
    if (load<i32>(AUGMENTED)) augmentAll(n, end, scratch + foldedBytes());
    if (load<u32>(PARTNER_ROWS)) mixAll(n, end, scratch + foldedBytes());
    if (hasConvolutions()) forwardImages(n, end, volumes);
    else listPixels(n, end, scratch + foldedBytes());
    forward(n, end, true, folded, pixelTile(scratch));
    computeLosses(n, end);
    backward(n, end);
    if (hasConvolutions()) backwardImages(n, end, volumes);
  }
}

/** The block of an item, numbered through all layers. One thread updates both blocks of a cache line of pixels. */
function blockOf(item: i32): i32 {
  const threads = load<i32>(THREADS);
  const turn = item % (2 * threads);
  const start = item - turn;
  if (start + 2 * threads > itemCount(UPDATE)) return item;
  return start + (turn % threads) * 2 + turn / threads;
}

/** Updates a block, numbered through all layers; with `apply`, from its buffered gradient. */
function updateItem(position: i32, apply: bool, scratch: usize): void {
  let l = 1;
  let block = position;
  for (let blocks = blockCount(l); block >= blocks; blocks = blockCount(l)) {
    block -= blocks;
    l++;
  }
  if (apply) applyBlock(l, block, load<f32>(CLIP_SCALE));
  else updateBlock(l, block, position, scratch);
}

/** Begins the next phase, or ends the step, once the last item of a phase is finished. */
function advance(phase: i32): void {
  if (phase == PASS) {
    beginPhase(UPDATE);
    return;
  }
  const mode = load<i32>(MODE);
  if (phase == UPDATE && mode >= MODE_BUFFERED) {
    const length = norm(itemCount(UPDATE));
    const clip: f64 = load<f32>(CLIP_NORM);
    store<f64>(GRADIENT_NORM, length);
    store<f32>(CLIP_SCALE, clip > 0 ? <f32>min<f64>(1, clip / (length + 1e-6)) : 1);
    if (mode != MODE_GRADIENT) {
      beginPhase(APPLY);
      return;
    }
  }
  endStep();
}

/** Processes items until the end of the step (rank 0) or of the job (other ranks). */
function runPhases(rank: i32): void {
  const scratch = threadScratch(rank);
  let foldedStep = 0;
  while (true) {
    const phaseWord = atomic.load<i32>(PHASE);
    const phase = phaseNumber(phaseWord);
    const ended = hasStepEnded(phaseWord);
    if (ended && (rank == 0 || load<i32>(SHUTDOWN))) return;
    const item = ended ? -1 : claimItem(phaseWord, rank);
    if (item < 0) awaitPhaseChange(phaseWord);
    else {
      if (phase == PASS) {
        const step = load<i32>(STEP);
        if (load<i32>(STANDARDIZED) && step != foldedStep) foldMean(scratch, scratch + foldedBytes());
        foldedStep = step;
        passItem(item, scratch, threadVolumes(rank));
      } else {
        updateItem(blockOf(item), phase == APPLY, scratch);
      }
      if (finishItem(phase)) advance(phase);
    }
  }
}

function sumResults(): void {
  const losses: usize = load<u32>(LOSSES);
  const flags: usize = load<u32>(CORRECT);
  const batch: usize = load<u32>(BATCH_SIZE);
  let loss: f64 = 0;
  let correct = 0;
  for (let n: usize = 0; n < batch; n++) {
    loss += <f64>load<f32>(losses + (n << 2));
    correct += <i32>load<u8>(flags + n);
  }
  store<f64>(LOSS_SUM, loss);
  store<i32>(CORRECT_SUM, correct);
}

/** Lists all examples of the batch, padded to even length. */
function listBatch(): void {
  const list: usize = load<u32>(BATCH_LIST);
  const batch = load<i32>(BATCH_SIZE);
  const stride = load<i32>(RECORD_STRIDE);
  for (let n = 0; n < batch; n++) store<i32>(list + (<usize>n << 2), n * stride);
  store<u32>(list + (<usize>batch << 2), load<u32>(ZERO_RECORD));
  store<i32>(BATCH_LIST_LENGTH, (batch + 1) & ~1);
}

/** Runs one step. Settings, indices and labels must have been written, and rows too if ROWS_COPIED is set. */
export function step(): void {
  let items = 0;
  for (let l = layerCount(); l > 0; l--) items += blockCount(l);
  const size = load<i32>(EXAMPLES_PER_ITEM);
  store<i32>(ITEM_COUNTS, (load<i32>(BATCH_SIZE) + size - 1) / size);
  store<i32>(ITEM_COUNTS + 4 * UPDATE, items);
  store<i32>(ITEM_COUNTS + 4 * APPLY, items);
  store<i32>(STEP, load<i32>(STEP) + 1);
  listBatch();
  beginPhase(PASS);
  runPhases(0);
  sumResults();
}

/** Runs the thread of a rank from 1 to n − 1 until `shutdown`. */
export function runThread(rank: i32): void { runPhases(rank); }

/** Ends every `runThread`. */
export function shutdown(): void {
  store<i32>(SHUTDOWN, 1);
  endStep();
}

/** Call after the weights have changed: folds the mean into the biases, once for many predictions. */
export function fold(): void {
  if (load<i32>(STANDARDIZED)) foldMean(threadScratch(0), threadScratch(0) + foldedBytes());
}

function forwardOnly(count: i32): void {
  if (hasConvolutions()) forwardImages(0, count, threadVolumes(0));
  else listPixels(0, count, 0);
  const scratch = threadScratch(0);
  forward(0, count, false, load<i32>(STANDARDIZED) ? scratch : 0, pixelTile(scratch));
}

/** Call after `fold`. Computes the logits of the first `count` records, and the probabilities in place of dz. */
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

/** Call after `fold`, with rows and labels written. Computes the loss and the correct predictions of the batch. */
export function evaluate(): void {
  const count = load<i32>(BATCH_SIZE);
  forwardOnly(count);
  computeLosses(0, count);
  sumResults();
}
