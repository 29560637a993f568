import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import type { Dataset } from '../../../src/domain/datasets/representation.ts';
import type { CollectedReport } from '../../../src/services/reports/collect.ts';
import { createReportPictures } from '../../../src/services/reports/pictures.ts';
import { catalogOf } from '../../support/catalog.ts';

/** Images of one grey level each: ten times their index, plus `start`. */
function levels(start: number, count: number) {
  const pixels = new Uint8Array(count * 80).map((_, n) => start + 10 * Math.floor(n / 80));
  return { pixels, labels: new Uint8Array(count) };
}
const dataset: Dataset = {
  id: 'd',
  imageShape: [8, 10],
  classNames: ['a', 'b'],
  digest: '',
  train: levels(0, 3),
  validation: null,
  learning: levels(0, 3),
  test: levels(100, 3),
};
const { signal } = new AbortController();

test('a report has pictures of its examples, of the mistakes and of the weights, which are drawn once', async () => {
  let drawings = 0;
  const draw = createReportPictures(catalogOf(dataset), {
    async drawWeights() {
      drawings++;
      return Buffer.from('weights');
    },
  });
  const report = {
    dataset: { id: 'd' },
    examples: [{ index: 2 }, { index: 0 }],
    evaluation: { dataset: 'd', mistakes: [{ index: 1 }] },
  };
  const drawn = { digest: 'sha256:1', inputShape: [8, 10], layerSizes: [80, 2] };
  const collected = { report, drawn } as unknown as CollectedReport;
  const { weights, examples, mistakes } = await draw(collected, signal);
  const levelOf = async (png: Uint8Array) => {
    const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    return [info.width, info.height, data[0], data.at(-1)];
  };
  assert.equal(String(weights), 'weights');
  assert.deepEqual(await Promise.all([...examples, ...mistakes].map(levelOf)), [
    [10, 8, 20, 20],
    [10, 8, 0, 0],
    [10, 8, 110, 110],
  ]);
  await draw(collected, signal);
  assert.equal(drawings, 1);
  const empty = { report: { dataset: null, examples: [], evaluation: null }, drawn: null };
  assert.deepEqual(await draw(empty as unknown as CollectedReport, signal), {
    weights: null,
    examples: [],
    mistakes: [],
  });
});
