/** Image bodies → images, on whichever thread computes them. */
import { fromBytes, fromJson, fromNpy, type ImageBatch, joinBatches } from '../datasets/image-batch.ts';
import type { ImageBody } from './messages.ts';

/** @throws AtelierError naming what is wrong, and where */
export function decodeImages(body: ImageBody): ImageBatch {
  switch (body.kind) {
    case 'json':
      return fromJson(body.bytes, body);
    case 'npy':
      return fromNpy(body.bytes, body);
    case 'bytes':
      return fromBytes(body.bytes);
    case 'batch':
      return body;
    case 'many':
      return joinBatches(body.parts.map(decodeImages));
  }
}
