import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { trainingRequestSchema } from '../../../src/domain/jobs/request.ts';
import { findTrainingConflicts } from '../../../src/domain/training/conflicts.ts';

const page = await readFile(join(import.meta.dirname, '../../../docs/reference/training-options.md'), 'utf8');
/** Whether the page has the name as code, as a quoted value, or as a heading. */
const isDocumented = (name: string) =>
  [`\`${name}\``, `\`"${name}"\``, `\`training.${name}\``].some((text) => page.includes(text));

/** Every property and every enum value of a JSON schema. */
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
  // The page shows these only as parts of a longer name or value.
  for (const part of ['type', 'fraction', 'name', 'version', 'network', 'training']) names.delete(part);
  const missing = [...names].filter((name) => !isDocumented(name));
  assert.deepEqual(missing, []);
});

test('the example in the documentation is a valid request without conflicts', () => {
  const [, body] = /-d '(\{.*?\})'/s.exec(page)!;
  const request = trainingRequestSchema.parse(JSON.parse(body!));
  assert.deepEqual(
    findTrainingConflicts(request, { imageShape: [28, 28], classNames: Array(10).fill('') }, 6000),
    [],
  );
});
