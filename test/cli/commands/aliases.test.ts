import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printed, serveAnswers } from './answers.ts';

test('promote resolves the version, moves the alias, and names the way back for a champion only', async (t) => {
  const { atelier, requests } = await serveAnswers(t, {
    'GET /v1/models/digits/versions/old': { version: 2 },
    'PUT /v1/models/digits/aliases/champion': { warning: 'No\u0007 calibration.' },
    'PUT /v1/models/digits/aliases/best': {},
  });
  const undo = 'Undo it with: npx atelier rollback digits\n';
  assert.deepEqual(await atelier('promote', 'digits@old'), {
    code: 0,
    stdout: 'digits@2 is served.\n',
    stderr: `warning: No\uFFFD calibration.\n${undo}`,
  });
  assert.deepEqual(await atelier('promote', 'digits@old', '--alias', 'best'), {
    code: 0,
    stdout: 'digits@best is version 2.\n',
    stderr: '',
  });
  assert.equal((await atelier('promote', 'digits@old', '--json')).stderr, '');
  const { body, headers } = requests[1]!;
  assert.deepEqual([body, headers['content-type']], ['{"version":2}', 'application/json']);
});

test('rollback restores the version before the last move of its alias, if nobody moves it meanwhile', async (t) => {
  const { atelier, requests } = await serveAnswers(t, {
    'GET /v1/models/digits/aliases/champion': { status: 200, headers: { etag: '"7"' }, body: '{}' },
    'GET /v1/models/digits/aliases?limit=100': {
      history: {
        data: [
          { alias: 'best', previousVersion: 1 },
          { alias: 'champion', previousVersion: 3 },
          { alias: 'champion', previousVersion: 2 },
        ],
      },
    },
    'GET /v1/models/digits/aliases/first': { status: 200, headers: { etag: '"1"' }, body: '{}' },
    'PUT /v1/models/digits/aliases/champion': {},
  });
  assert.equal(await printed(atelier('rollback', 'digits')), 'digits@3 is served.\n');
  const { body, headers } = requests.at(-1)!;
  assert.deepEqual([body, headers['if-match']], ['{"version":3}', '"7"']);
  const { code, stderr } = await atelier('rollback', 'digits', '--alias', 'first');
  assert.equal(code, 2);
  assert.match(stderr, /^The alias first of digits has had no other version\.\n/);
});
