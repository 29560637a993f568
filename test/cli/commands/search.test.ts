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

test('search follows the search on request, after its id', async (t) => {
  const search = { id: 'sea_1', status: 'cancelled', vary: [], objective: 'loss', repeats: 1, error: null };
  const { atelier } = await serveAnswers(t, {
    'POST /v1/searches': search,
    'GET /v1/searches/sea_1': search,
    'GET /v1/searches/sea_1/trials': { data: [] },
    'GET /v1/searches/sea_1/events': {
      status: 200,
      headers: {},
      body: 'id: 1\ndata: {"type":"status","data":{"to":"cancelled"}}\n\n',
    },
  });
  const shown = await atelier('search', path, '--follow');
  assert.deepEqual([shown.code, shown.stderr.trimEnd()], [1, 'The search was cancelled.']);
  assert.ok(shown.stdout.startsWith('sea_1\nstatus: cancelled\n'), shown.stdout);
  const { stdout } = await atelier('search', path, '--follow', '--json');
  assert.equal(stdout.split('\n')[0], '{"type":"status","data":{"to":"cancelled"}}');
});
