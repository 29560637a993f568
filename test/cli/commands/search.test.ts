import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { temporaryDirectory } from '../../support/start-service.ts';
import { serveAnswers } from './answers.ts';

const path = join(await temporaryDirectory({ after }), 'search.json');
const TEXT = '{ "method": "grid" }';
await writeFile(path, TEXT);

test('search starts a search, and names the command that shows its leaderboard', async (t) => {
  const { atelier, requests } = await serveAnswers(t, { 'POST /v1/searches': { id: 'sea_1' } });
  const note = 'The search runs. Its leaderboard: npx atelier job sea_1\n';
  assert.deepEqual(await atelier('search', path), { code: 0, stdout: 'sea_1\n', stderr: note });
  assert.deepEqual(await atelier('search', path, '--json'), {
    code: 0,
    stdout: '{"id":"sea_1"}\n',
    stderr: '',
  });
  assert.equal(requests[0]!.body, TEXT);
});
