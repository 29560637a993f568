import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { findTrainingConflicts } from '../../src/domain/training-conflicts.ts';
import { trainingRequestSchema } from '../../src/domain/training-job.ts';

const page = await readFile(join(import.meta.dirname, '../../docs/reference/training-options.md'), 'utf8');
/** As code, as a word in quotation marks, or as the heading of a table of its own. */
const isTold = (name: string) =>
  [`\`${name}\``, `\`"${name}"\``, `\`training.${name}\``].some((text) => page.includes(text));

/** Every property, and every word that an option may be, of a JSON schema. */
function namesIn(schema: unknown, names = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null) return names;
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') for (const name of Object.keys(value)) names.add(name);
    if (key === 'enum') for (const word of value) names.add(word);
    if (key === 'const' && typeof value === 'string') names.add(value);
    namesIn(value, names);
  }
  return names;
}

test('the documentation lists every option of a training, and every allowed value', () => {
  const names = namesIn(z.toJSONSchema(trainingRequestSchema, { io: 'input' }));
  assert.ok(names.size > 60);
  // Parts of what the page shows whole.
  for (const part of ['type', 'fraction', 'name', 'version', 'network', 'training']) names.delete(part);
  const missing = [...names].filter((name) => !isTold(name));
  assert.deepEqual(missing, []);
});

test('the example in the documentation is a valid request without conflicts', () => {
  const [, body] = /-d '(\{.*?\})'/s.exec(page)!;
  const request = trainingRequestSchema.parse(JSON.parse(body!));
  assert.deepEqual(findTrainingConflicts(request, 10, 6000), []);
});
