import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mlflowCodec } from '../../../src/protocols/mlflow/codec.ts';
import { isAtelierError } from '../../datasets/fixtures.ts';
import { MODEL } from '../fixtures.ts';

const decode = (invocation: object, fit?: 'contain') =>
  mlflowCodec.decode({ type: 'json', bytes: Buffer.from(JSON.stringify(invocation)), fit }, MODEL);
const A = [0, 1, 2, 255];
const B = [4, 5, 6, 7];
const both = { batch: { count: 2, pixels: Uint8Array.from([...A, ...B]) }, responseFormat: 'probabilities' };
const columns = { a: [0, 4], b: [1, 5], c: [2, 6], d: [255, 7] };
const record = ([a, b, c, d]: number[]) => ({ a, b, c, d });

for (const [title, invocation] of [
  ['one tensor', { inputs: [A, B] }],
  ['one tensor under the name of the input', { inputs: { x: [A, B] } }],
  ['columns', { inputs: columns }],
  ['one image per element', { instances: [A, B] }],
  ['one row of a table per element', { instances: [record(A), record(B)] }],
  ['the rows of a table', { dataframe_split: { columns: ['a', 'b', 'c', 'd'], data: [A, B] } }],
  ['the records of a table', { dataframe_records: [record(A), record(B)] }],
] as const) {
  test(`reads images as ${title}`, () => {
    assert.deepEqual(decode(invocation), both);
  });
}

test('reads a table of CSV, with or without a header', () => {
  const csv = (text: string, header: 'present' | 'absent') =>
    mlflowCodec.decode({ type: 'csv', bytes: Buffer.from(text), header }, MODEL);
  assert.deepEqual(csv('0,1,2,255\n4,5,6,7\n', 'absent'), both);
  assert.deepEqual(csv('9,9,9,9\n0,1,2,255\n4,5,6,7\n', 'present'), both);
  assert.throws(() => csv('0,1,2,256\n', 'absent'), isAtelierError('invalid-pixels', /^The table is 256 at/));
});

test('text is an encoded image', () => {
  const encoded = (pointer: string) => ({
    encoded: [{ kind: 'encoded', bytes: Buffer.of(1, 2), pointer }],
    responseFormat: 'probabilities',
  });
  assert.deepEqual(decode({ inputs: ['AQI='] }, 'contain'), encoded('#/inputs/0'));
  assert.deepEqual(decode({ dataframe_records: [{ image: 'AQI=' }] }), encoded('#/dataframe_records/0'));
});

test('a request sends its images in one field', () => {
  for (const [invocation, found] of [
    [{}, 'no images'],
    [{ params: {} }, 'no images'],
    [{ inputs: [A], instances: [A] }, 'inputs and instances'],
  ] as const) {
    const message = `# has ${found}; send one of inputs, instances, dataframe_split, dataframe_records.`;
    assert.throws(() => decode(invocation), { code: 'invalid-request', message });
  }
});

test('the response has probabilities or labels, and never NaN', () => {
  assert.equal(decode({ inputs: [A], params: { output: 'label' } }).responseFormat, 'label');
  assert.equal(decode({ inputs: [A], params: {} }).responseFormat, 'probabilities');
  const encode = (output: 'label' | 'probabilities', ...probabilities: number[]) =>
    mlflowCodec.encode(
      { probabilities: Float32Array.from(probabilities), logits: new Float32Array(4) },
      output,
      MODEL,
    );
  assert.deepEqual(encode('probabilities', 0.25, 0.75, 1, 0), {
    body: '{"predictions":[[0.25,0.75],[1,0]]}',
    jsonBytes: null,
  });
  assert.equal(encode('label', 0.25, 0.75, 1, 0).body, '{"predictions":[1,0]}');
  assert.throws(() => encode('label', Number.NaN, 0), isAtelierError('impossible-request'));
});
