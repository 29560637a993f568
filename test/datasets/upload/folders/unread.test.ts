import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warnOfUnread } from '../../../../src/datasets/upload/folders/unread.ts';

const NONE = { count: 0, first: [] };
const images = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ path: `${n}`, kind: 'a BMP image' }));
/** The codes and messages, without their advice. */
const messages = (...found: Parameters<typeof warnOfUnread>) =>
  warnOfUnread(...found).map(({ code, message }) => [code, message.replace(/\. [CP].*$/, '')]);

test('an archive that is read as a whole has no warning', () => {
  const ignored = [
    { file: 0, path: 'a.txt', why: 'other' },
    { file: 1, path: '.b', why: 'hidden' },
  ] as const;
  assert.deepEqual(messages([], NONE, ignored), []);
});

test('images that are not read are counted, and up to five named', () => {
  const warn = (count: number) => messages(images(count), NONE, []);
  assert.deepEqual(warn(1), [
    ['unread-images', '1 file looks like an image but is not read: "0" (a BMP image)'],
  ]);
  assert.match(warn(5)[0]![1]!, /^5 files look like images but are not read: .*, "4" \(a BMP image\)$/);
  assert.match(warn(6)[0]![1]!, /^6 files look like images but are not read: .*, "4" \(a BMP image\), …$/);
});

test('links are counted with files whose paths lead out of the archive', () => {
  const link = { name: 'l', kind: 'link' };
  const outside = { file: 0, path: '../o', why: 'outside' } as const;
  const absolute = { file: 1, path: '/p', why: 'absolute' } as const;
  assert.deepEqual(messages([], { count: 1, first: [link] }, []), [
    ['unread-entries', '1 entry of the archive is not read: "l" (a link)'],
  ]);
  assert.deepEqual(messages([], { count: 1, first: [link] }, [outside, absolute]), [
    [
      'unread-entries',
      '3 entries of the archive are not read: "l" (a link), "../o" (its path has ..), "/p" (its path is absolute)',
    ],
  ]);
  const five = new Array(5).fill(link);
  assert.match(
    messages([], { count: 9, first: five }, [outside])[0]![1]!,
    /^10 entries .*"l" \(a link\), …$/,
  );
});
