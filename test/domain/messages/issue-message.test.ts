import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import {
  issueMessage,
  kindName,
  optionsMessage,
  toSentence,
} from '../../../src/domain/messages/issue-message.ts';

const cases: readonly [schema: z.ZodType, data: unknown, sentence: string][] = [
  [z.number(), 'abc', 'Must be a number, but is "abc".'],
  [z.number(), Number.NaN, 'Must be a number, but is NaN.'],
  [z.int(), 1.5, 'Must be an integer, but is 1.5.'],
  [z.string(), undefined, 'Is required.'],
  [z.boolean(), [], 'Must be true or false, but is an array.'],
  [z.literal('a'), 'b', 'Must be "a", but is "b".'],
  [z.enum(['a', 'b']), 3, 'Must be one of "a", "b", but is 3.'],
  [z.enum(['a', 'b']), undefined, 'Is required and must be one of "a", "b".'],
  [z.number().min(1), 0, 'Must be at least 1, but is 0.'],
  [z.number().gt(0), 0, 'Must be greater than 0, but is 0.'],
  [z.number().max(1), 2, 'Must be at most 1, but is 2.'],
  [z.number().lt(1), 1, 'Must be less than 1, but is 1.'],
  [z.number().multipleOf(2), 3, 'Must be a multiple of 2, but is 3.'],
  [z.string().min(1), '', 'Must not be empty.'],
  [z.string().max(2), 'abc', 'Must have at most 2 characters, but has 3.'],
  [z.array(z.int()).length(2), [1], 'Must have exactly 2 items, but has 1.'],
  [z.array(z.int()).min(1), [], 'Must not be empty.'],
  [z.array(z.int()).min(2), [1], 'Must have at least 2 items, but has 1.'],
  [z.array(z.int()).length(1), [1, 2], 'Must have exactly 1 item, but has 2.'],
  [z.array(z.int()).max(1), [1, 2], 'Must have at most 1 item, but has 2.'],
  [z.string().min(2), 'a', 'Must have at least 2 characters, but has 1.'],
  [z.string().length(2), 'abc', 'Must have exactly 2 characters, but has 3.'],
  [z.string().max(0), 'a', 'Must have at most 0 characters, but has 1.'],
  [z.string().regex(/^a$/), 'b', 'Must match /^a$/, but is "b".'],
  [z.iso.date(), 'b', 'Must be a valid date, but is "b".'],
  [z.strictObject({}), { a: 1 }, 'Has unknown fields: a.'],
  [
    z.strictObject({ epochs: z.int() }),
    { epochs: 1, epoch: 1 },
    'Has unknown fields: epoch (did you mean epochs?).',
  ],
  [z.record(z.string().max(1), z.int()), { ab: 1 }, 'Has a field with an invalid name.'],
  [z.union([z.string().min(2), z.int()]), true, 'Must match one of the alternatives, but is true.'],
  [z.custom(() => false), 1, 'Is invalid: 1.'],
  [z.int(), null, 'Must be a number, but is null.'],
  [z.int(), {}, 'Must be a number, but is an object.'],
  [z.string('must be a name'), 1, 'Must be a name.'],
];

for (const [schema, data, sentence] of cases) {
  test(`describes a defect as: ${sentence}`, () => {
    const { error } = schema.safeParse(data, { error: issueMessage });
    assert.equal(toSentence(error!.issues[0]!.message), sentence);
  });
}

test('punctuation at the end of a sentence is kept', () => {
  assert.equal(toSentence('what? yes!'), 'What? yes!');
  assert.equal(toSentence('`a` is wrong'), '`a` is wrong.');
});

test('suggests similar names of the first 20 unknown fields only', () => {
  const names = Array.from({ length: 21 }, (_, n) => `epoch${n}`);
  const data = Object.fromEntries(names.map((name) => [name, 1]));
  const { error } = z.strictObject({ epochs: z.int().optional() }).safeParse(data, { error: issueMessage });
  const { message } = error!.issues[0]!;
  assert.match(message, /, epoch19 \(did you mean epochs\?\), epoch20$/);
});

test('quotes the first 40 characters of long text', () => {
  const { error } = z.int().safeParse('0123456789'.repeat(100), { error: issueMessage });
  assert.equal(error!.issues[0]!.message, `must be a number, but is "${'0123456789'.repeat(4)}…"`);
  const whole = z.int().safeParse('0123456789'.repeat(4), { error: issueMessage });
  assert.equal(whole.error!.issues[0]!.message, `must be a number, but is "${'0123456789'.repeat(4)}"`);
});

test('a kind without words of its own, and an allowed value that JSON does not have, are named', () => {
  assert.equal(kindName('date'), 'of type date');
  assert.equal(optionsMessage([undefined, 'a'], 1), 'must be one of undefined, "a", but is 1');
});

test('unknown fields of a schema that has no fields get no suggestion', () => {
  for (const schema of [{}, { inst: z.string() }]) {
    const message = issueMessage({ code: 'unrecognized_keys', keys: ['a', 'b'], input: {}, ...schema });
    assert.equal(message, 'has unknown fields: a, b');
  }
});
