import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCommandLine } from '../../../cli/run-command-line.ts';
import { temporaryDirectory } from '../../support/start-service.ts';
import { problem, serveAnswers } from './answers.ts';

const path = join(await temporaryDirectory({ after }), 'recipe.json');
const TEXT = '{ "training": { "epochs": 2, "l2": 0.5 } }';
await writeFile(path, TEXT);
const JOBS = 'POST /v1/training-jobs';
const PREVIEW = 'POST /v1/training-jobs/preview';
const jobOf = (steps: number) => ({ id: 'job_1', status: 'queued', progress: { steps } });
const fewSteps = { code: 'few-steps', message: '38 steps.' };
const follow = 'The job is queued. Follow it with: npx atelier job job_1 --follow\n';
const bodyOf = ({ body }: { body: string }) => body;

test('train sends the recipe as it is, and names the command that follows the job', async (t) => {
  const { atelier, requests } = await serveAnswers(t, { [JOBS]: jobOf(1000) });
  assert.deepEqual(await atelier('train', path), { code: 0, stdout: 'job_1\n', stderr: follow });
  assert.deepEqual(requests.map(bodyOf), [TEXT]);
  const { stdout, stderr } = await atelier('train', path, '--json');
  assert.deepEqual([JSON.parse(stdout), stderr], [jobOf(1000), '']);
});

test('train warns of few steps, and no warning or preview stops the job', async (t) => {
  const other = { code: 'other', message: 'Slow.' };
  const warning = `warning: 38 steps. Train with them: npx atelier train ${path} --suggested\n`;
  for (const [preview, note] of [
    [{ warnings: [other, fewSteps] }, warning],
    [{ warnings: [other] }, ''],
    [problem(503, 'busy', 'The service is busy.'), ''],
  ] as const) {
    const { atelier, requests } = await serveAnswers(t, { [JOBS]: jobOf(999), [PREVIEW]: preview });
    assert.deepEqual(await atelier('train', path), { code: 0, stdout: 'job_1\n', stderr: note + follow });
    assert.deepEqual(requests.map(bodyOf), [TEXT, TEXT]);
  }
});

test('train changes the priority and the suggested options, and nothing else', async (t) => {
  const suggested = { epochs: 40, batchSize: 16 };
  const { atelier, requests } = await serveAnswers(t, { [JOBS]: jobOf(1000), [PREVIEW]: { suggested } });
  const { stderr } = await atelier('train', path, '--suggested', '--priority=-3');
  assert.equal(stderr, `Epochs 40, batch size 16, as suggested.\n${follow}`);
  const training = { epochs: 40, l2: 0.5, batchSize: 16 };
  assert.deepEqual(JSON.parse(requests.at(-1)!.body), { training, priority: -3 });
  const wrong = await atelier('train', path, '--priority', '1.5');
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^--priority must be an integer, but is 1\.5\.\n/);
  const enough = await serveAnswers(t, { [JOBS]: jobOf(1000), [PREVIEW]: { suggested: null } });
  const unchanged = await enough.atelier('train', path, '--suggested');
  assert.equal(unchanged.stderr, `No other steps are suggested, so nothing is changed.\n${follow}`);
  assert.deepEqual(JSON.parse(enough.requests.at(-1)!.body), JSON.parse(TEXT));
});

test('a file that is not JSON is named, and not sent', async (t) => {
  const text = path.replace('.json', '.txt');
  await writeFile(text, '{ epochs: 2 }');
  const { atelier, requests } = await serveAnswers(t, {});
  for (const command of ['train', 'search']) {
    const { code, stderr } = await atelier(command, text);
    assert.equal(code, 2);
    assert.ok(stderr.startsWith(`${text} is not JSON: `), stderr);
  }
  assert.equal(requests.length, 0);
});

test('train says that an interrupted request may have started a job', async () => {
  const notes: (string | Uint8Array)[] = [];
  const code = await runCommandLine(['train', path], {
    stdout: { write: () => assert.fail('nothing is printed') },
    stderr: { write: (text) => notes.push(text) },
    environment: {},
    interrupted: AbortSignal.abort(),
  });
  const note = 'Interrupted. Whether a job has started shows: npx atelier jobs\n';
  assert.deepEqual([code, notes], [130, [note]]);
});
