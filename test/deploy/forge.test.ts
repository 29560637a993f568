/** The files of .github: pinned actions, permissions, and what actionlint does not check. */
import assert from 'node:assert/strict';
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';

const FOLDER = join(import.meta.dirname, '../../.github');
const read = (path: string) => readFileSync(join(FOLDER, path), 'utf8');

test('every action is pinned by the SHA of a commit, the same one wherever it is used, and names its version', () => {
  const pins = new Map<string, string>();
  for (const name of readdirSync(join(FOLDER, 'workflows'))) {
    for (const [, action] of read(`workflows/${name}`).matchAll(/\buses: (.*)$/gm)) {
      if (action!.startsWith('./')) continue;
      assert.match(action!, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      const [repository] = action!.split('@');
      assert.equal(pins.get(repository!) ?? action, action);
      pins.set(repository!, action!);
    }
  }
  assert.deepEqual([...pins.keys()].toSorted(), ['actions/attest', 'actions/checkout', 'actions/setup-node']);
});

test('a workflow may only read the repository, unless a job needs more', () => {
  for (const name of readdirSync(join(FOLDER, 'workflows'))) {
    assert.deepEqual(parse(read(`workflows/${name}`)).permissions, { contents: 'read' }, name);
  }
});

// https://docs.github.com/en/code-security/dependabot/working-with-dependabot/dependabot-options-reference
const dependabotSchema = z.strictObject({
  version: z.literal(2),
  updates: z.array(
    z.strictObject({
      'package-ecosystem': z.enum(['npm', 'github-actions', 'docker']),
      directory: z.literal('/').optional(),
      directories: z.array(z.string()).optional(),
      schedule: z.strictObject({ interval: z.literal('weekly') }),
      groups: z.record(z.string(), z.strictObject({ patterns: z.tuple([z.literal('*')]) })),
      ignore: z
        .array(
          z.strictObject({
            'dependency-name': z.string(),
            'update-types': z.array(
              z.templateLiteral(['version-update:semver-', z.enum(['major', 'minor', 'patch'])]),
            ),
          }),
        )
        .optional(),
    }),
  ),
});

test('dependencies of the package, the workflows and the image are updated once a week, in one group each', () => {
  const { updates } = dependabotSchema.parse(parse(read('dependabot.yml')));
  assert.deepEqual(
    updates.map((update) => update['package-ecosystem']),
    ['npm', 'github-actions', 'docker'],
  );
  for (const { groups } of updates) assert.equal(Object.keys(groups).length, 1);
  const locked = globSync('{,clients/*/}package-lock.json', { cwd: join(FOLDER, '..') });
  assert.deepEqual(updates[0]!.directories, locked.map((file) => join('/', dirname(file))).toSorted());
});

// https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
const attributes = { label: z.string(), description: z.string().optional() };
const field = {
  id: z.string().regex(/^[\w-]+$/),
  validations: z.strictObject({ required: z.boolean() }).optional(),
};
const formSchema = z.strictObject({
  name: z.string(),
  description: z.string(),
  labels: z.array(z.string()),
  body: z.array(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('markdown'), attributes: z.strictObject({ value: z.string() }) }),
      z.strictObject({ type: z.literal('input'), ...field, attributes: z.strictObject(attributes) }),
      z.strictObject({
        type: z.literal('textarea'),
        ...field,
        attributes: z.strictObject({ ...attributes, render: z.string().optional() }),
      }),
      z.strictObject({
        type: z.literal('dropdown'),
        ...field,
        attributes: z.strictObject({ ...attributes, options: z.array(z.string()).min(2) }),
      }),
    ]),
  ),
});

test('the issue forms have the fields of their format, each with an id and a label of its own', () => {
  const { config, ...forms } = Object.fromEntries(
    readdirSync(join(FOLDER, 'ISSUE_TEMPLATE')).map((name) => [
      name.replace('.yml', ''),
      parse(read(`ISSUE_TEMPLATE/${name}`)),
    ]),
  );
  assert.deepEqual(config, { blank_issues_enabled: false });
  assert.deepEqual(Object.keys(forms), ['bug', 'feature']);
  for (const form of Object.values(forms)) {
    const fields = formSchema.parse(form).body.filter((element) => element.type !== 'markdown');
    assert.equal(new Set(fields.map(({ id }) => id)).size, fields.length);
    assert.equal(new Set(fields.map(({ attributes }) => attributes.label)).size, fields.length);
  }
});

test('every file has an owner', () => {
  const rules = read('CODEOWNERS')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.match(rules[0]!, /^\* @[\w-]+(\/[\w-]+)?$/);
});
