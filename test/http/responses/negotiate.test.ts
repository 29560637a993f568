import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { addVary, negotiate, preferredType } from '../../../src/http/responses/negotiate.ts';
import { failure } from '../../store/fixtures.ts';

const OFFERED = ['application/json', 'text/csv'] as const;

function exchange(accept?: string) {
  const headers = new Map<string, string>();
  const reply = {
    getHeader: (name: string) => headers.get(name),
    header: (name: string, value: string) => headers.set(name, value),
  } as unknown as FastifyReply;
  return { request: { headers: { accept } } as FastifyRequest, reply, headers };
}

test('selects the type of the highest weight, and the first one without a preference', () => {
  for (const [accept, type] of [
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['application/json', 'application/json'],
    ['text/csv', 'text/csv'],
    ['text/*', 'text/csv'],
    ['text/csv;q=0.5, application/json;q=0.4', 'text/csv'],
    ['text/csv;q=0.5, */*', 'application/json'],
    ['application/json;q=0, */*', 'text/csv'],
    ['text/csv; charset=utf-8; q=0.9, application/json; q=0.1', 'text/csv'],
    ['text/csv;header="a;q=0,\\"b"', 'text/csv'],
    ['image/png', undefined],
    ['text/csv;q=0', undefined],
  ] as const) {
    const { request, reply, headers } = exchange(accept);
    assert.equal(preferredType(request, reply, OFFERED), type, accept);
    assert.deepEqual([...headers], [['vary', 'Accept']]);
  }
});

test('names the types that are available, and why others are not', () => {
  const { request, reply } = exchange('image/png');
  const message = 'Accept: image/png matches none of the available types: application/json, text/csv.';
  assert.throws(() => negotiate(request, reply, OFFERED), failure('not-acceptable', message));
  const reason = 'A picture is not available.';
  assert.throws(
    () => negotiate(request, reply, OFFERED, reason),
    failure('not-acceptable', `${message} ${reason}`),
  );
  const json = exchange('application/json');
  assert.equal(negotiate(json.request, json.reply, OFFERED, reason), 'application/json');
});

test('adds headers that the response depends on', () => {
  const { reply, headers } = exchange();
  for (const name of ['Origin', 'Accept']) addVary(reply, name);
  assert.equal(headers.get('vary'), 'Origin, Accept');
});
