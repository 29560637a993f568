import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitText, textWidth } from '../../../src/charts/parts/text.ts';

test('a text has the widths of its characters, and is wider in bold', () => {
  // A 0 is 0.64 of the size of 11 wide, an é 0.68 and a 日 1.
  assert.ok(Math.abs(textWidth('0é日', { size: 100 }) - (64 + 68 + 100)) < 1e-9);
  assert.ok(Math.abs(textWidth('0') - 7.04) < 1e-12);
  assert.ok(Math.abs(textWidth('0', { bold: true, size: 50 }) - 37.12) < 1e-12);
});

test('a text is cut to as many characters as fit with an ellipsis, also if they just fit', () => {
  const style = { size: 100 };
  assert.equal(fitText('000', 192, style), '000');
  assert.equal(fitText('0000', 64 + 64 + 68, style), '00…');
  assert.equal(fitText('0000', 64 + 64 + 67, style), '0…');
  assert.equal(fitText('0000', 67, style), '');
  assert.equal(fitText('', 0, style), '');
});
