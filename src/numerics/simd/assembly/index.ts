/** What the kernel can be asked to do. All it knows is in its memory, whose map is addresses.ts. */
import {
  AUGMENTED, BATCH, CLIP_NORM, COPIED, CORRECT_SUM, GRADIENT_NORM, GROUP, HITS, INPUTS, LOSSES, LOSS_SUM, MODE, MODE_BUFFERED, MODE_GRADIENT, OUTPUTS, OUTPUT_GRADIENT, OUTPUT_VALUES, PARTIALS, RECORDS,
  RECORD_STRIDE, SCRATCH,
  SCRATCH_STRIDE, STANDARDIZED, TASK, TASK_QUIT, THREADS,
} from '../addresses.ts';
import { layerAt, layerCount, vectorsOf } from './layer.ts';
import { makePackTables } from './lists.ts';
import { softmax } from './loss.ts';
import { augmentAll, backward, foldMean, forward, listPixels, measure } from './pass.ts';
import { awaitOthers, awaitTask, meet, open } from './threads.ts';
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

/** A thread's part of a step. */
function work(rank: i32): void {
  const threads = load<i32>(THREADS);
  const batch = load<i32>(BATCH);
  const scratch = scratchOf(rank);
  const last = (batch * (rank + 1)) / threads;
  let folded: usize = 0;
  if (load<i32>(STANDARDIZED)) {
    folded = scratch;
    foldMean(folded);
  }
  for (let n = (batch * rank) / threads; n < last; n += GROUP) {
    const end = min(n + GROUP, last);
    if (!load<i32>(COPIED)) copyRows(n, end);
    if (load<i32>(AUGMENTED)) augmentAll(n, end, scratch + foldedBytes());
    listPixels(n, end);
    forward(n, end, true, folded);
    measure(n, end);
    backward(n, end);
  }
  meet();
  const layers = layerCount();
  let item = 0;
  for (let l = 1; l <= layers; l++) {
    const chunks = chunksOf(l);
    for (let chunk = 0; chunk < chunks; chunk++, item++) {
      if (item % threads == rank) updateChunk(l, chunk, item, scratch);
    }
  }
  const mode = load<i32>(MODE);
  if (mode < MODE_BUFFERED) return;
  meet();
  const length = norm(item);
  if (rank == 0) store<f64>(GRADIENT_NORM, length);
  if (mode == MODE_GRADIENT) return;
  const clip = load<f32>(CLIP_NORM);
  const scale = clip > 0 ? min<f64>(1, <f64>clip / (length + 1e-6)) : 1;
  item = 0;
  for (let l = 1; l <= layers; l++) {
    const chunks = chunksOf(l);
    for (let chunk = 0; chunk < chunks; chunk++, item++) {
      if (item % threads == rank) applyChunk(l, chunk, <f32>scale);
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

/** One step on the batch whose rows and labels are in place. */
export function step(): void {
  const several = load<i32>(THREADS) > 1;
  if (several) {
    awaitOthers();
    open();
  }
  work(0);
  sumUp();
  if (several) awaitOthers();
}

/** What ranks 1 … n − 1 do until told to quit. */
export function serve(rank: i32): void {
  while (true) {
    awaitTask();
    if (load<i32>(TASK) == TASK_QUIT) return;
    work(rank);
  }
}

/** Ends every `serve`. */
export function quit(): void {
  if (load<i32>(THREADS) == 1) return;
  awaitOthers();
  store<i32>(TASK, TASK_QUIT);
  open();
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
