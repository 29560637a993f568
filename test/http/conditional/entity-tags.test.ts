import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  gzipTag,
  matchesTag,
  parseEntityTags,
  tagWith,
  withoutEncoding,
  withoutShown,
} from '../../../src/http/conditional/entity-tags.ts';

test('reads lists of entity tags, and nothing else', () => {
  for (const [header, tags] of [
    ['*', '*'],
    [' * ,\t*', '*'],
    ['"a"', ['"a"']],
    [' ,, W/"b,c" ,"", "d"\t,', ['W/"b,c"', '""', '"d"']],
    ['', undefined],
    [',', undefined],
    ['a', undefined],
    ['"a" "b"', undefined],
    ['"a"; b', undefined],
    ['w/"a"', undefined],
    ['*, "a"', undefined],
    ['"a b"', undefined],
  ] as const) {
    assert.deepEqual(parseEntityTags(header), tags, header);
  }
});

test('weak tags pass the weak comparison only', () => {
  for (const [header, strong, weak] of [
    ['"x", "a"', true, true],
    ['W/"a"', false, true],
    ['"A"', false, false],
    ['*', true, true],
    ['a', false, false],
  ] as const) {
    assert.deepEqual(
      [matchesTag(header, '"a"', 'strong'), matchesTag(header, '"a"', 'weak')],
      [strong, weak],
      header,
    );
  }
});

test('tags of encodings and of counts lead back to the tag of the state', () => {
  assert.deepEqual([gzipTag('"a"'), gzipTag('W/"a"')], ['"a-gzip"', 'W/"a"']);
  assert.equal(withoutEncoding('"a-gzip", W/"b-gzip", "c"'), '"a", W/"b", "c"');
  const [one, two] = [tagWith('"a"', { looks: 1 }), tagWith('"a"', { looks: 2 })];
  assert.match(one, /^"a~[\w-]{8}"$/);
  assert.notEqual(one, two);
  assert.equal(tagWith('"a"', { looks: 1 }), one);
  assert.equal(withoutShown(`${one}, ${two}, "c"`), '"a", "a", "c"');
});
