import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseNpy } from '../../../src/formats/arrays/npy.ts';
import { initialize } from '../../../src/numerics/network/initialize.ts';
import type { LoadedModel } from '../../../src/services/models/loaded-version.ts';
import { PredictionStream } from '../../../src/services/predictions/streamed-images.ts';
import { computeStreamResponse } from '../../../src/services/predictions/streamed-response.ts';
import { createForward } from '../../../src/workers/kernel/compile.ts';
import { createPredictionPool } from '../../../src/workers/pools.ts';
import { dense } from '../../support/dense.ts';

const IMAGES = 2500;
const CLASSES = 3;

test('a streamed response has the outputs of all images in order, their tally, and no time of decoding', async (t) => {
  const architecture = dense([784, 5, CLASSES]);
  const network = {
    reference: { name: 'streamed', version: 1 },
    architecture,
    activation: 'tanh',
    standardization: null,
    parameters: Float32Array.from(initialize('uniform-fan-in', architecture, 7)),
    classNames: ['a', 'b', 'c'],
  } as const;
  const forward = createForward(network);
  const model: LoadedModel = {
    ...network,
    forward,
    multiplyAdds: 5 * 787,
    datasetId: null,
    preprocessing: null,
  };
  const pixels = Uint8Array.from({ length: 784 * IMAGES }, (_, n) => (n * 7919) >> 3);
  const [logits, expected] = [new Float32Array(CLASSES * IMAGES), new Float32Array(CLASSES * IMAGES)];
  forward(logits, expected, pixels);
  const pool = createPredictionPool(() => {});
  t.after(() => pool.close());

  const stream = new PredictionStream(pool, model, null, () => assert.fail());
  // Two blocks: the second is predicted at the end.
  const half = 784 * 1100;
  stream.write(pixels.slice(0, half));
  stream.write(pixels.slice(half));
  const { signal } = new AbortController();
  const { response, images, ms, tally } = await computeStreamResponse(
    pool,
    stream,
    { logits: false },
    'npy',
    signal,
  );
  const { shape, data } = parseNpy(response.body as Buffer);
  assert.deepEqual([images, shape], [IMAGES, [IMAGES, CLASSES]]);
  assert.deepEqual(data, expected);
  const rows = Array.from({ length: IMAGES }, (_, n) => expected.subarray(CLASSES * n, CLASSES * (n + 1)));
  const predicted = rows.map((row) => row.indexOf(Math.max(...row)));
  assert.deepEqual(
    Array.from({ length: CLASSES }, (_, k) => tally.classes[k] ?? 0),
    Array.from({ length: CLASSES }, (_, k) => predicted.filter((label) => label === k).length),
  );
  assert.equal(ms.decode, 0);
  assert.ok(ms.compute > 0 && ms.wait >= 0 && ms.serialise >= 0);
});
