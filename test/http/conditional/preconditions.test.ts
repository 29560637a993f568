import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyRequest } from 'fastify';
import { AtelierError } from '../../../src/errors.ts';
import { toPrecondition } from '../../../src/http/conditional/preconditions.ts';

const check = (headers: object, tag: string | null) =>
  toPrecondition({ headers } as FastifyRequest, () => ({ tag, description: 'the alias is new' }))?.(null);

test('a change without preconditions needs no check', () => {
  assert.equal(
    toPrecondition({ headers: {} } as FastifyRequest, () => assert.fail()),
    undefined,
  );
});

test('a change needs the state that its client has read', () => {
  for (const header of ['"a"', '"x", "a-gzip"', '"a~12345678"', '*']) check({ 'if-match': header }, '"a"');
  for (const [header, tag] of [
    ['"b"', '"a"'],
    ['W/"a"', '"a"'],
    ['*', null],
    ['"a"', null],
  ] as const)
    assert.throws(() => check({ 'if-match': header }, tag), { code: 'precondition-failed' });
});

test('a change may need that the resource does not exist, or has another state', () => {
  check({ 'if-none-match': '*' }, null);
  check({ 'if-none-match': '"b"' }, '"a"');
  for (const header of ['*', '"a"', 'W/"a"'])
    assert.throws(() => check({ 'if-none-match': header }, '"a"'), { code: 'precondition-failed' });
});

for (const [header, tag, message, detail] of [
  [
    'if-match',
    '"a"',
    'If-Match: "x" does not hold: the alias is new; its ETag is "a".',
    'The current ETag is "a".',
  ],
  ['if-match', null, 'If-Match: "x" does not hold: the alias is new.', 'No ETag matches.'],
  [
    'if-none-match',
    '"x"',
    'If-None-Match: "x" does not hold: the alias is new; its ETag is "x".',
    'The current ETag is "x".',
  ],
] as const) {
  test(`an error describes the state: ${message}`, () => {
    assert.throws(
      () => check({ [header]: '"x"' }, tag),
      (error) => {
        assert.ok(error instanceof AtelierError);
        assert.equal(error.message, `Nothing was changed, because ${message} Read it again, then decide.`);
        const parameter = header === 'if-match' ? 'If-Match' : 'If-None-Match';
        assert.deepEqual(error.details, [{ parameter, detail }]);
        return true;
      },
    );
  });
}
