import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Box } from '../../../src/charts/parts/box.ts';
import { type Caption, type ChartOptions, figure } from '../../../src/charts/parts/figure.ts';
import { renderSvg } from '../../../src/charts/render.ts';
import { SMALL } from '../elements.ts';

/** The area of the drawing, and the texts with their attributes. */
function frame(caption: Partial<Caption>, options: Partial<ChartOptions> = {}) {
  let area: Box | undefined;
  const svg = renderSvg(
    figure({ title: 'T', subtitle: 's', ...caption }, { ...SMALL, hasNotes: true, ...options }, (found) => {
      area = found;
      return null;
    }),
  );
  const texts = Array.from(svg.matchAll(/<text ([^>]*)>([^<]*)</g), ([, attributes, text]) => [
    text,
    attributes!.replaceAll('"', ''),
  ]);
  return { svg, area, texts };
}

test('the subtitle is at the right of the title, or below it if both do not fit', () => {
  const beside = frame({});
  assert.deepEqual(beside.texts, [
    ['T', 'x=12 y=22 font-size=14 font-weight=bold'],
    ['s', 'x=312 y=22 fill=muted text-anchor=end'],
  ]);
  assert.deepEqual(beside.area, { left: 12, top: 34, right: 312, bottom: 200 });
  // A bold 0 of size 14 is 0.64 · 14 · 1.16 wide, one of size 11 is 7.04; 300 pixels are left.
  const title = 10 * 0.64 * 14 * 1.16;
  const most = Math.floor((300 - 12 - title) / 7.04);
  const put = (zeros: number) => frame({ title: '0'.repeat(10), subtitle: '0'.repeat(zeros) });
  assert.equal(put(most).area!.top, 34);
  const below = put(most + 1);
  assert.equal(below.area!.top, 48);
  assert.deepEqual(below.texts[1], ['0'.repeat(most + 1), 'x=12 y=37 fill=muted']);
  assert.equal(frame({ title: '0'.repeat(40), subtitle: '' }).area!.top, 34);
});

test('notes are lines under the drawing, as many as the height has room for', () => {
  // 0.3 of the height beyond 120, in lines of 14: one line from a height of 120 + 14 / 0.3 on.
  const count = (height: number, notes: readonly string[]) => {
    const { texts, area } = frame({ notes }, { height });
    assert.equal(area!.bottom, height - 12 - 14 * (texts.length - 2));
    return texts.slice(2);
  };
  assert.deepEqual(count(166, ['one', 'two']), []);
  assert.deepEqual(count(167, ['one', 'two']), [['one', 'x=12 y=155 fill=muted']]);
  assert.deepEqual(
    count(214, ['one', 'two']).map(([text]) => text),
    ['one', 'two'],
  );
  assert.deepEqual(count(100, ['one']), []);
  // A note that is broken into two lines is shown whole or not at all, and nothing after it.
  const broken = `${'0'.repeat(30)} ${'0'.repeat(30)}`;
  assert.deepEqual(count(167, [broken, 'two']), []);
  assert.equal(count(214, [broken, 'two']).length, 2);
  assert.equal(frame({ notes: ['one'] }, { height: 400, hasNotes: false }).texts.length, 2);
});

test('the title and all notes are for readers who do not see the chart', () => {
  const { svg } = frame({ description: 'Described.', notes: ['One.', 'Two.'] }, { hasNotes: false });
  assert.ok(svg.includes('<title>T: s</title><desc>Described. One. Two.</desc>'), svg);
  assert.ok(frame({ subtitle: '', notes: ['One.'] }).svg.includes('<title>T</title><desc>One.</desc>'));
  assert.ok(svg.includes('viewBox="0 0 324 212"') && svg.includes('<rect width="324" height="212"'));
});
