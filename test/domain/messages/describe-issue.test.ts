import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import {
  describeIssue,
  describeIssues,
  findFields,
  parse,
} from '../../../src/domain/messages/describe-issue.ts';
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

test('a number beyond the safe integers has one error, with the limit of the schema if there is one', () => {
  assert.deepEqual(details(z.int(), 1e300), ['must be at most 9007199254740991, but is 1e+300']);
  assert.deepEqual(details(z.int(), -1e300), ['must be at least -9007199254740991, but is -1e+300']);
  assert.deepEqual(details(z.int().max(10), 1e300), ['must be at most 10, but is 1e+300']);
  assert.deepEqual(details(z.int().min(1), -1e300), ['must be at least 1, but is -1e+300']);
});

test('an invalid name of a field has the reasons', () => {
  assert.deepEqual(details(z.record(z.string().max(2), z.int()), { abc: 1 }), [
    'the name of this field must have at most 2 characters, but has 3',
  ]);
});

test('an object without fields allows none', () => {
  assert.deepEqual(details(z.strictObject({}), { a: 1 }), ['Unknown field `a`. Allowed: none.']);
});

test('the name of a record in a query is compared without its key', () => {
  const schema = z.strictObject({ inputs: z.string(), width: z.string() });
  const data = { inputs: '', width: '', 'inptus[a]': '', 'widht.b': '' };
  const [issue] = parse(schema, data).error!.issues;
  assert.deepEqual(
    describeIssue(issue!, schema, data, 'parameter').map(({ detail }) => detail),
    [
      'Unknown parameter `inptus[a]`. Did you mean `inputs`? Allowed: inputs, width.',
      'Unknown parameter `widht.b`. Did you mean `width`? Allowed: inputs, width.',
    ],
  );
});

test('a value that matches no alternative of a union is described by what is allowed', () => {
  const byType = (...types: string[]) => types.map((type) => z.object({ type: z.literal(type) }));
  const union = z.object({ a: z.union(byType('x', 'y')) });
  const [issue, ...others] = parse(union, { a: { type: 'z' } }).error!.issues;
  assert.deepEqual(describeIssue(issue!, union, { a: { type: 'z' } }), [
    { path: ['a', 'type'], detail: 'must be one of "x", "y", but is "z"' },
  ]);
  assert.equal(others.length, 0);
  const discriminated = z.discriminatedUnion('type', [
    z.object({ type: z.literal('x') }),
    z.object({ type: z.literal('y') }),
  ]);
  assert.deepEqual(details(discriminated, { type: 'z' }), ['must be one of "x", "y", but is "z"']);
  assert.deepEqual(details(z.union([z.int(), z.literal(['a', 'b']), z.array(z.int())]), true), [
    'must be a number or "a" or "b" or an array, but is true',
  ]);
  assert.deepEqual(details(z.union([z.literal('a'), z.literal('b')]), 'c'), [
    'must be "a" or "b", but is "c"',
  ]);
  assert.deepEqual(details(z.union([z.literal([undefined, 'a']), z.int()]), true), [
    'must be undefined or "a" or a number, but is true',
  ]);
});

test('the defect is in the alternative of a union that has the kind of the value', () => {
  const schema = z.object({
    a: z.union([z.literal('all'), z.object({ b: z.int().max(9) }), z.array(z.int()).min(2)]),
  });
  const describe = (a: unknown) => {
    const issues = parse(schema, { a }).error!.issues;
    return describeIssues(issues, schema, { a });
  };
  assert.deepEqual(describe({ b: 10 }), [{ path: ['a', 'b'], detail: 'must be at most 9, but is 10' }]);
  assert.deepEqual(describe({ b: 'x' }), [{ path: ['a', 'b'], detail: 'must be a number, but is "x"' }]);
  assert.deepEqual(describe([1]), [{ path: ['a'], detail: 'must have at least 2 items, but has 1' }]);
});
