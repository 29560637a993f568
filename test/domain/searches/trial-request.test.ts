import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SearchRequest } from '../../../src/domain/searches/request.ts';
import {
  assembleRequest,
  contains,
  findNoIndex,
  findPathDefect,
  parsePath,
} from '../../../src/domain/searches/trial-request.ts';

test('a pointer has names, in which ~1 is a slash and ~0 a tilde', () => {
  assert.deepEqual(parsePath('/training/a~1b/~01'), ['training', 'a/b', '~1']);
});

test('a pointer contains itself and fields within it', () => {
  const inner = ['/a', '/a/b', '/ab', '/', '/b'];
  assert.deepEqual(
    inner.map((each) => contains('/a', each)),
    [true, true, false, false, false],
  );
});

const POINTER =
  'must be a JSON pointer to a field of network or training, such as /training/optimizer/learningRate';
for (const [path, earlier, defect] of [
  ['/network/hidden', [], null],
  ['/training/l1', ['/training/l2', '/training/l11'], null],
  ['training/l2', [], POINTER],
  ['/training', [], POINTER],
  ['/seed/a', [], POINTER],
  ['/training/~2', [], 'must be a JSON pointer: write a ~ as ~0, and a / within a name as ~1 (RFC 6901)'],
  ['/training/validation', [], 'must not be /training/validation: it is the same for all trials'],
  ['/training/validation/fraction', [], 'must not be /training/validation: it is the same for all trials'],
  [
    '/training/optimizer/momentum',
    ['/training/l2', '/training/optimizer'],
    'overlaps with /training/optimizer: both vary',
  ],
  [
    '/training/optimizer',
    ['/training/optimizer/momentum'],
    'overlaps with /training/optimizer/momentum: both vary',
  ],
] as const) {
  test(`the path ${path} after ${earlier.length} others ${defect ?? 'is allowed'}`, () => {
    assert.equal(findPathDefect(path, earlier), defect);
  });
}

const request = {
  ...{ dataset: 'd', seed: 3, metadata: { a: 'b' }, gradientCheck: false, vary: [] as unknown[] },
  network: { hidden: [40, 20] },
  training: { optimizer: { type: 'sgd' }, l2: 0 },
} as unknown as SearchRequest;

test('an item of an array is named by its index', () => {
  for (const [path, name] of [
    ['/network/hidden/0', null],
    ['/network/hidden/10', null],
    ['/network/hidden/01', '01'],
    ['/network/hidden/-', '-'],
    ['/network/hidden/1234567890', '1234567890'],
    ['/training/l2/units', null],
    ['/training/missing/units', null],
  ] as const)
    assert.equal(findNoIndex(request, path), name, path);
});

test('the values of a setting replace those of the request, or are added', () => {
  const paths = ['/network/hidden/1', '/training/l2/a', '/training/ema/decay', '/training/__proto__'];
  const varied = { ...request, vary: paths.map((path) => ({ path })) } as unknown as SearchRequest;
  const { network, training, ...rest } = assembleRequest(varied, [10, 1, 0.9, 5]);
  assert.deepEqual(rest, { dataset: 'd', seed: 3, metadata: { a: 'b' }, gradientCheck: false });
  assert.deepEqual(network, { hidden: [40, 10] });
  assert.equal(
    JSON.stringify(training),
    '{"optimizer":{"type":"sgd"},"l2":{"a":1},"ema":{"decay":0.9},"__proto__":5}',
  );
  assert.deepEqual(request.network, { hidden: [40, 20] });
  assert.equal(assembleRequest({ ...request, modelName: 'm' }, [])['modelName'], 'm');
});

test('an index makes a missing list, or replaces a single value by one', () => {
  const assemble = (network: object, path: string) =>
    assembleRequest({ ...request, network, vary: [{ path }] } as unknown as SearchRequest, [8])['network'];
  assert.deepEqual(assemble({}, '/network/convolutions/0'), { convolutions: [8] });
  assert.deepEqual(assemble({ convolutions: [4, 4] }, '/network/convolutions/1'), { convolutions: [4, 8] });
  assert.deepEqual(assemble({ convolutions: [4] }, '/network/convolutions/0/0'), { convolutions: [[8]] });
  assert.deepEqual(assemble({}, '/network/missing/a0'), { missing: { a0: 8 } });
});
