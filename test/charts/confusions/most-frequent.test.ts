import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawConfusions } from '../../../src/charts/confusions/most-frequent.ts';
import { listElements, SMALL } from '../elements.ts';
import { confusionInput, topConfusionsInput } from '../samples.ts';

const options = { ...SMALL, width: 640, height: 480 };
const draw = (input: Parameters<typeof drawConfusions>[0]) => listElements(drawConfusions(input, options));

test('up to 30 classes are drawn as a matrix, more as the most frequent confusions', () => {
  const titles = [30, 31].map((classes) => {
    const { matrix } = confusionInput(classes);
    return /Most frequent confusions/.test(draw({ ...topConfusionsInput(classes), matrix }));
  });
  assert.deepEqual(titles, [false, true]);
});

test('each confusion is a row with its classes, its count and its fraction of the class', () => {
  const input = topConfusionsInput(1000);
  const [first] = input.topConfusions;
  const elements = draw(input);
  assert.match(elements, new RegExp(`${first!.className} → ${first!.predictedClassName}`));
  assert.match(elements, /850,000 of 1,000,000 images of 1,000 classes are classified correctly/);
  const rows = elements.match(/ → class \d/g)!.length;
  assert.ok(rows >= 20 && rows < 30, `${rows}`);
});

test('a version without mistakes has no rows', () => {
  const elements = draw({ ...topConfusionsInput(40), topConfusions: [] });
  assert.match(elements, /There are no mistakes/);
  assert.doesNotMatch(elements, / → class \d/);
});
