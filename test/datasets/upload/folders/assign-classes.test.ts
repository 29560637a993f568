import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findImages,
  isImageName,
  numberClasses,
} from '../../../../src/datasets/upload/folders/assign-classes.ts';
import { understandFolders } from '../../../../src/datasets/upload/folders/understand-paths.ts';

const reject = (defect: string): never => {
  throw new Error(defect);
};
/** Assigns classes by folders. */
function assign(names: readonly string[], given: readonly string[] | null = null) {
  const { found, ignored } = findImages(names, reject);
  const understood = understandFolders(found);
  if ('misplaced' in understood) return reject(`misplaced: ${names[understood.misplaced.file]}`);
  return { ...numberClasses(understood, given, reject), layout: understood.layout, ignored };
}

test('an image is known by the end of its name, unless it or its folder is hidden', () => {
  const names = ['a/1.PNG', 'a/1.jpg', 'a/1.jpeg', 'a/1.tif', 'a/1.webp', 'a\\1.avif', './a/1.gif'];
  assert.deepEqual(names.filter(isImageName), names);
  assert.deepEqual(['a/1.bmp', 'a/png', '.a/1.png', 'a/._1.png', '__MACOSX/a/1.png'].filter(isImageName), []);
});

test('images are in the order of their paths, with the labels of their folders', () => {
  const found = assign(['top/b/2.png', 'top/a/3.png', 'top\\b\\1.png', 'top/note.txt']);
  assert.deepEqual(found, {
    classNames: ['a', 'b'],
    images: [
      { file: 1, path: 'a/3.png', split: 'train', label: 0 },
      { file: 2, path: 'b/1.png', split: 'train', label: 1 },
      { file: 0, path: 'b/2.png', split: 'train', label: 1 },
    ],
    layout: 'top/class/file',
    ignored: [{ file: 3, path: 'top/note.txt', why: 'other' }],
  });
  const split = assign(['train/a/1.png', 'train/b/1.png', 'val/a/1.png', 'test/b/1.png']);
  assert.equal(split.layout, 'split/class/file, with the splits test, train, val (validation)');
  assert.deepEqual(
    split.images.map((image) => [image.split, image.label]),
    [
      ['test', 1],
      ['train', 0],
      ['train', 1],
      ['validation', 0],
    ],
  );
});

test('a file that is not read has a reason', () => {
  const { ignored } = assign([
    'a/1.png',
    'b/1.png',
    'a/.x.png',
    '../c/1.png',
    'C:\\d\\1.png',
    '/e/1.png',
    'a/1.txt',
  ]);
  assert.deepEqual(
    ignored.map(({ path, why }) => [path, why]),
    [
      ['a/.x.png', 'hidden'],
      ['../c/1.png', 'outside'],
      ['C:\\d\\1.png', 'absolute'],
      ['/e/1.png', 'absolute'],
      ['a/1.txt', 'other'],
    ],
  );
  assert.deepEqual(assign(['/a/1.png', '/b/1.png']).ignored, [], 'all paths are absolute');
});

test('class folders may have any depth, but all the same', () => {
  assert.throws(() => assign(['a/1.png', 'x/b/1.png']), /misplaced: x\/b\/1\.png/);
  assert.throws(() => assign(['train/a/1.png', 'b/c/1.png']), /misplaced: b\/c\/1\.png/);
  assert.deepEqual(assign(['x/y/z/a/1.png', 'x/y/z/b/1.png']).classNames, ['a', 'b']);
});

test('there are 2 to 1,000 class folders, of which ten are named', () => {
  const folders = (count: number) => Array.from({ length: count }, (_, n) => `${n + 1000}/1.png`);
  assert.equal(assign(folders(1000)).classNames.length, 1000);
  const ten = '"1000", "1001", "1002", "1003", "1004", "1005", "1006", "1007", "1008", "1009"';
  assert.throws(() => assign(folders(1001)), {
    message: `it has 1001 class folders: ${ten}, …; at most 1000 classes are allowed`,
  });
  assert.throws(
    () => assign(folders(1)),
    /^Error: it has 1 class folder: "1000"; at least 2 classes are required$/,
  );
  assert.throws(() => assign(folders(10), ['x', 'y']), {
    message: `no folder is named "x", "y", and classNames lacks the folder ${ten}; omit classNames, or name each folder once`,
  });
});

test('given names order the labels, and are compared as composed characters', () => {
  const { classNames, images } = assign(['e\u0301/1.png', 'a/1.png'], ['\u00e9', 'a']);
  assert.deepEqual(classNames, ['\u00e9', 'a']);
  assert.deepEqual(
    images.map(({ file, label }) => [file, label]),
    [
      [1, 1],
      [0, 0],
    ],
  );
  assert.throws(() => assign(['a/1.png', 'b/1.png'], ['a']), /^Error: classNames lacks the folder "b"; omit/);
});

test('a folder without a valid class name is named, and so is a class without training images', () => {
  assert.throws(() => assign(['a/1.png', ' b/1.png']), /the folder name " b" cannot be a class name/);
  assert.throws(() => assign(['a/1.png', '\ufffd/1.png']), /cannot be a class name/);
  assert.throws(
    () => assign(['train/b/1.png', 'train/c/1.png', 'test/a/1.png']),
    /class "a" has no image below train/,
  );
});
