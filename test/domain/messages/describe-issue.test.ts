import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { describeIssues, findFields, parse } from '../../../src/domain/messages/describe-issue.ts';
import { predictionFieldsSchema, predictionRequestSchema } from '../../../src/domain/predictions/job.ts';
import { searchRequestSchema } from '../../../src/domain/searches/request.ts';

function details(schema: z.ZodType, data: unknown): string[] {
  const issues = parse(schema, data).error?.issues ?? [];
  return describeIssues(issues, schema, data).map(({ detail }) => detail);
}

test('null is among the allowed values of a field that may be null', () => {
  const search = { dataset: 'mine', vary: [{ path: '/training/l2', choices: [0, 1] }] };
  assert.deepEqual(details(searchRequestSchema, { ...search, final: { trainOn: 'x' } }), [
    'must be one of "everything", "training-part", null, but is "x"',
  ]);
  assert.deepEqual(details(searchRequestSchema, { ...search, final: { testSet: 'x' } }), [
    'must be one of "every-epoch", "once", "never", but is "x"',
  ]);
  assert.deepEqual(details(z.object({ a: z.enum(['b']).nullable() }), { a: 1 }), [
    'must be one of "b", null, but is 1',
  ]);
});

test('finds the fields of a name at any depth, each once', () => {
  assert.deepEqual(findFields(trainingRequestSchema, 'learningRate'), [
    ['training', 'optimizer', 'learningRate'],
  ]);
  assert.deepEqual(findFields(trainingRequestSchema, 'none'), []);
});

test('suggests the path of an unknown field if only one other field has its name', () => {
  const request = (training: object) => details(trainingRequestSchema, { dataset: 'mine', training });
  assert.match(
    request({ learningRate: 1 }).join(),
    /^Unknown field `learningRate`\. Did you mean `\/training\/optimizer\/learningRate`\? Allowed: epochs, /,
  );
  assert.deepEqual(request({ schedule: { type: 'constant', factor: 1 } }), [
    'Unknown field `factor`. Allowed with type "constant": type.',
  ]);
});

test('looks for similar names of the first 20 unknown fields only', () => {
  const names = Array.from({ length: 10_000 }, (_, n) => `epoch${n}`);
  const training = Object.fromEntries(names.map((name) => [name, 1]));
  const found = details(trainingRequestSchema, { dataset: 'mine', training });
  assert.equal(found.length, names.length);
  assert.match(found[19]!, /^Unknown field `epoch19`\. Did you mean `epochs`\? Allowed: /);
  assert.deepEqual([...new Set(found.slice(20))], ['Unknown field.']);
});

test('lists the allowed fields of an object in an array, a union or the text of a form', () => {
  const distillation = { teachers: ['mine', { name: 'mine', foo: 1 }] };
  assert.deepEqual(details(trainingRequestSchema, { dataset: 'mine', training: { distillation } }), [
    'Unknown field `foo`. Allowed: name, version.',
  ]);
  const vary = [{ path: '/training/l2', values: [0] }];
  assert.deepEqual(details(searchRequestSchema, { dataset: 'mine', vary }), [
    'Unknown field `values`. Allowed: path, choices, min, max, scale, step, points.',
    'must have either choices, or min and max',
  ]);
  assert.deepEqual(details(predictionFieldsSchema, { model: '{"name":"mine","foo":1}' }), [
    'Unknown field `foo`. Allowed: name, version.',
  ]);
});

test('the error of a value of the wrong type does not depend on its size', () => {
  const request = (training: object, network: object = {}) =>
    details(trainingRequestSchema, { dataset: 'mine', training, network });
  for (const teachers of ['', 'fashion-mnist']) {
    assert.deepEqual(request({ distillation: { teachers } }), [
      `must be an array, but is ${JSON.stringify(teachers)}`,
    ]);
  }
  assert.deepEqual(request({}, { hidden: '123456789' }), ['must be an array, but is "123456789"']);
});

test('a missing field of several types is required', () => {
  assert.deepEqual(details(predictionRequestSchema, { dataset: 'mine' }), ['is required']);
});
