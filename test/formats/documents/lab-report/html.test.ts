/** Lab reports as HTML, from the example of the contract. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labReportSchema } from '../../../../src/domain/reports/lab-report.ts';
import { writeHtmlReport } from '../../../../src/formats/documents/lab-report/html.ts';
import { readExamples } from '../../../../src/http/openapi/examples.ts';

const report = labReportSchema.parse((await readExamples())['LabReport']);
const write = (pictures: Parameters<typeof writeHtmlReport>[0]['pictures']) =>
  writeHtmlReport({
    report: { ...report, warnings: ['The loss rises.'] },
    records: report.epochs,
    isStopped: false,
    pictures,
    basePath: '',
    address: 'http://localhost:3456',
  });
const html = write({
  weights: Buffer.from('weights'),
  examples: [Buffer.from('example')],
  mistakes: [],
});

test('a report is a document of its own, with a title and sections', () => {
  assert.match(
    html,
    /^<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="[^"]+"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><link rel="icon" href="data:,"><title>Lab report: fashion-mnist<\/title><style>/,
  );
  assert.ok(html.endsWith('</section></main></body></html>\n'));
  const sections = Array.from(
    html.matchAll(/<section id="([^"]+)">(?:<h2>([^<]+)<\/h2>)?/g),
    ([, id, title]) => `${id}: ${title}`,
  );
  assert.deepEqual(sections, [
    'result: undefined',
    'data: Data',
    'gradient-check: Gradient check',
    'training: Training',
    'weights: Weights of the first layer',
    'evaluation: Evaluation on the test split',
    'calibration: Calibration',
    'path: Path of the training',
    'test-set: Looks at the test split',
    'receipt: Receipt',
  ]);
});

for (const [block, written] of [
  [
    'a paragraph has all digits of its numbers',
    '<p>Accuracy <data value="0.8634">0.8634</data> on <data value="10000">10,000</data> images',
  ],
  [
    'an interval has both ends',
    '95 % interval <data value="0.8565293028168655">0.8565</data> to <data value="0.8699916071673266">0.8700</data> (Wilson)',
  ],
  [
    'the confusion matrix is the largest chart',
    '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="480"',
  ],
  [
    'a table scrolls by keyboard',
    '<div class="scroll" role="group" aria-label="class, training images, test images" tabindex="0">',
  ],
  [
    'numbers and their headings are aligned',
    '<thead><tr><th scope="col">class</th><th scope="col" class="number">training images</th><th scope="col" class="number">test images</th></tr></thead>' +
      '<tbody><tr><td>T-shirt/top</td><td class="number"><data value="6000">6,000</data></td>',
  ],
  ['code in a cell is marked', '<tr><td>version</td><td><code>fashion-mnist@1</code></td></tr>'],
  ['a list has items', '<h3>Warnings</h3><ul><li>The loss rises.</li></ul>'],
  ['commands are preformatted', '<pre><code>ATELIER=http://localhost:3456\ncurl -sS'],
  [
    'charts are drawn',
    '<div class="charts"><svg xmlns="http://www.w3.org/2000/svg" width="460" height="300"',
  ],
  [
    'images of a class have a caption',
    '<div class="images"><figure><img src="data:image/png;base64,ZXhhbXBsZQ==" alt="Training image 0"/><figcaption>Ankle boot</figcaption></figure></div>',
  ],
  [
    'weights are wide, without a caption',
    '<div class="images wide"><figure><img src="data:image/png;base64,d2VpZ2h0cw==" alt="Weights of the first layer"/></figure></div>',
  ],
  [
    'an image without a picture keeps its caption',
    '<div class="images"><figure><figcaption>Sneaker, taken for Ankle boot (100.0\u00a0%)</figcaption></figure></div>',
  ],
] as const) {
  test(`in HTML, ${block}`, () => assert.ok(html.includes(written), html));
}
