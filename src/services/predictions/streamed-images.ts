/** Predicts the images of a large body while it arrives, so that no thread waits for the last byte. */

import { valueCount } from '../../numerics/network/image-shape.ts';
import type { Guarantee, LoadedCalibration } from '../../protocols/codec.ts';
import { outlierCost } from '../../protocols/compute-outputs.ts';
import type { PredictionPool } from '../../workers/pools.ts';
import type { BlockResult } from '../../workers/predictions/entry.worker.ts';
import { release } from '../../workers/threads/transfer.ts';
import { servedNetwork } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';

/** A thread is given at least this much at once, about a millisecond of work; more if more arrives while it predicts. */
export const MIN_BLOCK_BYTES = 800_000;
/** Limit of the multiply-adds of a block, about 0.1 s: a block is predicted to its end, although the client disconnects. */
const MAX_BLOCK_COST = 2e9;
/** Fewer multiply-adds, about half a millisecond of work, are not worth a further thread. */
const MIN_SHARED_COST = 2e7;

export class PredictionStream {
  readonly model: LoadedModel;
  readonly #pool: PredictionPool;
  /** Values and multiply-adds of an image. */
  readonly #values: number;
  #cost: number;
  /** In the order of the images. Each is undefined if it failed. */
  readonly #blocks: Promise<BlockResult | undefined>[] = [];
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #running = 0;
  readonly #guarantee: Guarantee | null;
  /** null without a guarantee */
  readonly #calibration: Promise<LoadedCalibration> | null;
  readonly #loading = new AbortController();
  #minBytes = MIN_BLOCK_BYTES;
  /** Why no further block is predicted. */
  #failure: { readonly reason: unknown } | undefined;
  /** Durations of the phases so far. */
  readonly ms = { wait: 0, compute: 0 };

  /** @param loadCalibration called with a guarantee only; if it throws, `end` throws the same */
  constructor(
    pool: PredictionPool,
    model: LoadedModel,
    guarantee: Guarantee | null,
    loadCalibration: (signal: AbortSignal) => Promise<LoadedCalibration>,
  ) {
    this.#pool = pool;
    this.model = model;
    this.#values = valueCount(model.architecture.inputShape);
    this.#cost = model.multiplyAdds;
    this.#guarantee = guarantee;
    this.#calibration = guarantee && loadCalibration(this.#loading.signal);
    this.#calibration?.then(
      (loaded) => {
        if (guarantee?.coverage != null) this.#cost += outlierCost(loaded);
      },
      (reason: unknown) => this.abort(reason),
    );
  }

  /** Takes over the next pixels, 0–255: their memory moves to the thread. */
  write(pixels: Uint8Array): void {
    this.#chunks.push(pixels);
    this.#bytes += pixels.length;
    this.#predictBlocks();
  }

  /** Predicts no further block, because the body does not arrive completely or the client has disconnected. */
  abort(reason: unknown): void {
    this.#failure ??= { reason };
    this.#loading.abort(reason);
  }

  /**
   * Call after the last byte of a whole number of images.
   * @throws AtelierError the error of the pool; the reason of the signal or of `abort`
   */
  async end(signal: AbortSignal): Promise<readonly BlockResult[]> {
    const abort = () => this.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    this.#minBytes = 1;
    this.#predictBlocks();
    const results: BlockResult[] = [];
    // The loop also visits the blocks that begin when one of them ends.
    for (const block of this.#blocks) {
      const result = await block;
      if (result) results.push(result);
    }
    if (this.#failure) throw this.#failure.reason;
    return results;
  }

  /** Gives all complete images to the threads of the pool, as long as there are enough. */
  #predictBlocks(): void {
    while (this.#bytes >= this.#minBytes && !this.#failure) {
      const images = Math.floor(this.#bytes / this.#values);
      const threads = images * this.#cost < MIN_SHARED_COST ? 1 : this.#pool.size;
      if (this.#running >= threads) return;
      // A thread that took all images would leave none to the others, because the body arrives faster than it is predicted.
      const share = Math.max(images / threads, MIN_SHARED_COST / this.#cost);
      this.#blocks.push(this.#predictBlock(Math.min(images, Math.ceil(share))));
    }
  }

  async #predictBlock(complete: number): Promise<BlockResult | undefined> {
    const images = Math.min(complete, Math.max(1, Math.floor(MAX_BLOCK_COST / this.#cost)));
    const chunks = this.#take(images * this.#values);
    const network = servedNetwork(this.model);
    const startedAt = performance.now();
    this.#running++;
    try {
      const calibration = this.#calibration && (await this.#calibration);
      const task = { network, chunks, guarantee: this.#guarantee, calibration };
      const block = await this.#pool.run('predictBlock', task, undefined, chunks);
      this.ms.compute += block.computeMs;
      this.ms.wait += performance.now() - startedAt - block.computeMs;
      return block;
    } catch (reason) {
      this.abort(reason);
      return undefined;
    } finally {
      this.#running--;
      this.#predictBlocks();
    }
  }

  /** Takes the first bytes. Both parts of a chunk that is divided are copied, so that each owns its memory. */
  #take(bytes: number): Uint8Array[] {
    this.#bytes -= bytes;
    const taken: Uint8Array[] = [];
    for (let missing = bytes; missing > 0; ) {
      const chunk = this.#chunks.shift()!;
      if (chunk.length <= missing) {
        taken.push(chunk);
      } else {
        taken.push(new Uint8Array(chunk.subarray(0, missing)));
        this.#chunks.unshift(new Uint8Array(chunk.subarray(missing)));
        release([chunk]);
      }
      missing -= taken.at(-1)!.length;
    }
    return taken;
  }
}
