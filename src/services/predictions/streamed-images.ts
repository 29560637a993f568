/** Predicts the images of a large body while it arrives, so that the worker thread does not wait for the last byte. */
import { forwardCost } from '../../numerics/network/architecture.ts';
import { valueCount } from '../../numerics/network/image-shape.ts';
import type { PredictionPool } from '../../workers/pools.ts';
import type { BlockResult } from '../../workers/predictions/entry.worker.ts';
import { release } from '../../workers/threads/transfer.ts';
import { servedNetwork } from '../models/catalog.ts';
import type { LoadedModel } from '../models/loaded-version.ts';

/** A thread is given at least this much at once, about a millisecond of work; more if more arrives while it predicts. */
export const MIN_BLOCK_BYTES = 800_000;
/** Limit of the multiply-adds of a block, about 0.1 s: a block is predicted to its end, although the client disconnects. */
const MAX_BLOCK_COST = 2e9;

export class PredictionStream {
  readonly model: LoadedModel;
  readonly #pool: PredictionPool;
  readonly #blocks: BlockResult[] = [];
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;
  /** Why no further block is predicted. */
  #failure: { readonly reason: unknown } | undefined;
  /** Durations of the phases so far. */
  readonly ms = { wait: 0, compute: 0 };

  constructor(pool: PredictionPool, model: LoadedModel) {
    this.#pool = pool;
    this.model = model;
  }

  /** Takes over the next pixels, 0–255: their memory moves to the thread. */
  write(pixels: Uint8Array): void {
    this.#chunks.push(pixels);
    this.#bytes += pixels.length;
    if (this.#bytes >= MIN_BLOCK_BYTES) this.#running ??= this.#predictBlocks(MIN_BLOCK_BYTES);
  }

  /** Predicts no further block, because the body does not arrive completely or the client has disconnected. */
  abort(reason: unknown): void {
    this.#failure ??= { reason };
  }

  /**
   * Call after the last byte of a whole number of images.
   * @throws AtelierError the error of the pool; the reason of the signal or of `abort`
   */
  async end(signal: AbortSignal): Promise<readonly BlockResult[]> {
    const abort = () => this.abort(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
    await this.#running;
    await this.#predictBlocks(1);
    if (this.#failure) throw this.#failure.reason;
    return this.#blocks;
  }

  /** Predicts all complete images, as long as there are enough. */
  async #predictBlocks(minBytes: number): Promise<void> {
    const network = servedNetwork(this.model);
    const values = valueCount(network.architecture.inputShape);
    const maxImages = Math.max(1, Math.floor(MAX_BLOCK_COST / forwardCost(network.architecture)));
    while (this.#bytes >= minBytes && !this.#failure) {
      const images = Math.min(maxImages, Math.floor(this.#bytes / values));
      const chunks = this.#take(images * values);
      const startedAt = performance.now();
      try {
        const block = await this.#pool.run('predictBlock', { network, chunks }, undefined, chunks);
        this.#blocks.push(block);
        this.ms.compute += block.computeMs;
        this.ms.wait += performance.now() - startedAt - block.computeMs;
      } catch (reason) {
        this.abort(reason);
      }
    }
    this.#running = undefined;
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
