/** `atelier search --follow`: the leaderboard on a terminal, as lines, and as JSON. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Search } from '../../src/domain/searches/representation.ts';
import { type SearchBody, smallSearch } from '../support/search-outcome.ts';
import { startService, temporaryDirectory } from '../support/start-service.ts';
import { run } from './run.ts';

const file = { after };
const { app } = await startService(file, { TRAINING_WORKERS: '2' });
const environment = { ATELIER_URL: await app.listen({ port: 0, host: '127.0.0.1' }) };
const path = join(await temporaryDirectory(file), 'search.json');
await writeFile(path, JSON.stringify(smallSearch({ method: { type: 'random', trials: 2 } })));

test('prints a line per event, then the leaderboard and the result', async () => {
  const { code, stdout, stderr } = await run(['search', path, '--follow'], environment);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^sea_\w+\nstatus: running\ntrial 1: queued\n/);
  assert.match(stdout, /\nafter epoch 1, trials \d continue\n/);
  assert.match(
    stdout,
    /\nfinal training with the setting of trial \d: job_\w+\nstatus: succeeded\n {4}TRIAL {2}hidden {2}learningRate {2}validationLoss {2}accuracy {2}epochs {2}status\n1\* {2}\d +\[\d+\] +0\.\d+ +\d\.\d{4} +0\.\d{4} +4 +succeeded\n2 +\d .* 1 +stopped\nBest: trial \d with .*\. Published tuned@1\. /,
  );
});

test('shows, follows and cancels a search by its id, and names trials that it stopped', async () => {
  const started = await run(['search', path, '--follow'], environment);
  const id = started.stdout.split('\n', 1)[0]!;
  const shown = await run(['job', id], environment);
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(
    shown.stdout,
    /^search +sea_\w+\nstatus +succeeded\n.*\nfinal job +job_\w+\n {4}TRIAL .*\n2 .* stopped\nBest: trial /s,
  );
  assert.equal(JSON.parse((await run(['job', id, '--json'], environment)).stdout).id, id);
  assert.match((await run(['job', id, '--follow'], environment)).stdout, /\nBest: trial /);
  const { stdout } = await run(['jobs', '--limit', '3'], environment);
  const [, job] = /\n(job_\w+) +stopped /.exec(stdout)!;
  assert.doesNotMatch(stdout, /cancelled/);
  assert.match((await run(['job', job!], environment)).stdout, /\nstatus +stopped by its search\n/);
  assert.match((await run(['cancel', id], environment)).stderr, /^Search sea_\w+ is succeeded\. /);
  const long = join(await temporaryDirectory(file), 'long.json');
  await writeFile(long, JSON.stringify(smallSearch({ training: { epochs: 1000 } })));
  const running = (await run(['search', long], environment)).stdout.trim();
  assert.equal((await run(['cancel', running], environment)).stdout, 'The search is cancelling.\n');
});

test('redraws the leaderboard in place on a terminal, and prints every event with --json', async () => {
  const drawn = await run(['search', path, '--follow'], environment, true);
  assert.equal(drawn.code, 0, drawn.stderr);
  // Up to the first line of the last drawing, and erase what is below.
  assert.ok(drawn.stdout.includes('\u001B[4A\r\u001B[J    TRIAL'));
  assert.match(drawn.stdout, /running: \d+ of at most 5 epochs, \d active, \d waiting/);
  const json = await run(['search', path, '--follow', '--json'], environment);
  const lines = json.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal((lines.at(-1) as Search).status, 'succeeded');
  assert.deepEqual(
    lines.slice(0, -1).map(({ id }) => id),
    lines.slice(0, -1).map((_, n) => n + 1),
  );
});

test('a search whose final training did not learn succeeds, and gives the reason with advice that works', async () => {
  const still = join(await temporaryDirectory(file), 'still.json');
  // Without weights, every image gets the same class.
  const vary = [{ path: '/training/l1', choices: [1, 2] }];
  const follow = async (final: SearchBody['final']) => {
    const body = smallSearch({ vary, method: { type: 'grid' }, halving: null, modelName: 'still', final });
    await writeFile(still, JSON.stringify(body));
    return run(['search', still, '--follow'], environment);
  };
  const { code, stdout, stderr } = await follow({ trainOn: 'training-part' });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\nwarning: .*accuracy.*\nstatus: succeeded\n/);
  const advice =
    /\nBest: trial \d with .*\. Published nothing\. .*accuracy.* with "final": (\{.*\}) in the search\. /.exec(
      stdout,
    );
  assert.ok(advice, stdout);
  const followed = await follow({ trainOn: 'training-part', ...JSON.parse(advice[1]!) });
  assert.match(followed.stdout, /\nBest: trial \d with .*\. Published still@1\. /);
});

test('the error of a rejected search points at the variation', async () => {
  const wrong = join(await temporaryDirectory(file), 'wrong.json');
  await writeFile(
    wrong,
    JSON.stringify(
      smallSearch({ vary: [{ path: '/training/learnRate', choices: [1, 2] }], method: { type: 'grid' } }),
    ),
  );
  const { code, stderr } = await run(['search', wrong], environment);
  assert.equal(code, 1);
  assert.match(
    stderr,
    /^The search cannot be started\.\n {2}#\/vary\/0\/path: .*Unknown field `learnRate`.*\n$/,
  );
});
