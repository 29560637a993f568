import assert from 'node:assert/strict';
import { performance } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import type { ServedNetwork } from '../../../src/workers/kernel/compile.ts';
import {
  computePredictions,
  type PredictResult,
  type PredictTask,
} from '../../../src/workers/predictions/requests.ts';
import { CALIBRATION, forward, MODEL, PIXELS } from '../../protocols/fixtures.ts';
import { dense } from '../../support/dense.ts';

const network: ServedNetwork = {
  ...MODEL,
  architecture: { ...dense([4, 2]), inputShape: [2, 2] },
  activation: 'relu',
  standardization: null,
  parameters: new Float32Array(10),
};

/** Computes predictions while each look at the clock takes 10 ms. */
function compute(t: TestContext, request: PredictTask['request'], calibration: PredictTask['calibration']) {
  let now = 1000;
  t.mock.method(performance, 'now', () => (now += 10));
  const result = computePredictions({ network, request, calibration }, (given) => {
    assert.equal(given, network);
    return forward;
  });
  t.mock.restoreAll();
  return result;
}

const jsonOf = (value: object) => new TextEncoder().encode(JSON.stringify(value));

test('a request is decoded, computed and written, and its memory is freed', (t) => {
  const bytes = jsonOf({ instances: [[...PIXELS.subarray(0, 4)], [...PIXELS.subarray(4)]] });
  const result = compute(t, { protocol: 'tensorflow', bytes }, null) as PredictResult;
  const { predictions } = JSON.parse(new TextDecoder().decode(result.body));
  assert.deepEqual(
    predictions.flat().map((value: number) => Number(value.toFixed(6))),
    [0.9, 0.1, 0.5, 0.5],
  );
  assert.deepEqual([result.images, result.jsonBytes], [2, null]);
  assert.deepEqual(result.ms, { decode: 10, compute: 10, serialise: 10 });
  assert.equal(bytes.length, 0);
});

test('encoded images are returned, and so are images whose calibration is not loaded', (t) => {
  const instances = jsonOf({ instances: [{ b64: 'AQI=' }] });
  const encoded = compute(t, { protocol: 'tensorflow', bytes: instances }, null);
  assert.ok('encoded' in encoded && encoded.encoded.length === 1);

  const guarantee = { coverage: null, calibrated: true };
  const request = (pixels: Uint8Array<ArrayBuffer>) => ({
    protocol: 'tensorflow' as const,
    decoded: { batch: { count: 2, pixels }, responseFormat: 'column', guarantee },
  });
  const waiting = request(PIXELS.slice());
  assert.equal(compute(t, waiting, null), waiting.decoded);
  assert.equal(waiting.decoded.batch.pixels.length, 8);

  const pixels = PIXELS.slice();
  const result = compute(t, request(pixels), CALIBRATION) as PredictResult;
  assert.equal(result.images, 2);
  assert.equal(pixels.length, 0);
  // With halved logits, odds of 9 become odds of 3.
  const { outputs } = JSON.parse(new TextDecoder().decode(result.body));
  assert.deepEqual(
    outputs.flat().map((value: number) => Number(value.toFixed(6))),
    [0.75, 0.25, 0.5, 0.5],
  );
});
