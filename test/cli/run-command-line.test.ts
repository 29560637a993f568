import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommandLine } from '../../cli/run-command-line.ts';
import { CLEAR_LINE } from '../../cli/text.ts';
import { problem, serveAnswers } from './commands/answers.ts';
import { run } from './run.ts';

const version = /^\d+\.\d+\.\d+\n$/;

test('asks for a command on stderr, and answers questions on stdout', async () => {
  for (const name of ['help', '--help', '-h']) {
    const { code, stdout, stderr } = await run([name], {});
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /^Trains and serves .*\n {2}serve .*\n {2}train recipe\.json .*\n {2}--url URL /s);
  }
  const none = await run([], {});
  assert.deepEqual([none.code, none.stdout], [2, '']);
  assert.match(none.stderr, /^Trains and serves /);
  assert.match((await run(['--version'], {})).stdout, version);
  const other = await run(['xyz'], {});
  assert.match(other.stderr, /^Unknown command "xyz"\. Commands: serve, data, .*, upload, .*, delete\.\n$/);
  const { code, stderr } = await run(['constructor'], {});
  assert.deepEqual([code, stderr.split('. ')[0]], [2, 'Unknown command "constructor"']);
});

test('sends requests to the address of an option, else of ATELIER_URL, with the key of either', async (t) => {
  const { environment, requests } = await serveAnswers(t, { 'GET /v1/models?limit=20': { data: [] } });
  const { ATELIER_URL: url } = environment;
  const absent = 'http://127.0.0.1:1';
  await run(['models', '--url', url, '--key', 'own'], { ATELIER_URL: absent, ATELIER_KEY: 'other' });
  await run(['models'], { ATELIER_URL: url.replace('http://', ''), ATELIER_KEY: 'other' });
  await run(['models'], { ATELIER_URL: url, ATELIER_KEY: '' });
  assert.deepEqual(
    requests.map(({ headers }) => headers.authorization),
    ['Bearer own', 'Bearer other', undefined],
  );
});

test('an address or a key that cannot be sent is a wrong argument', async () => {
  for (const [environment, message] of [
    [
      { ATELIER_URL: 'ftp://a' },
      'The address must be an http or https URL, such as http://localhost:3000, but is "ftp://a".',
    ],
    [{ ATELIER_KEY: 'a b' }, 'The API key must consist of visible ASCII characters.'],
    [{ ATELIER_KEY: 'ü' }, 'The API key must consist of visible ASCII characters.'],
  ] as const) {
    const { code, stderr } = await run(['models'], environment as unknown as Record<string, string>);
    assert.deepEqual([code, stderr], [2, `${message}\nSee: npx atelier models --help\n`]);
  }
});

test('a server that is not Atelier is named, and a defect of the client is not hidden', async (t) => {
  const job = 'job_01M8Y03V2CY0TG7QCAP1T8ZJ6R';
  const paths = ['training-jobs?limit=20', `training-jobs/${job}`, 'models?limit=20', 'datasets?limit=20'];
  const answers = Object.fromEntries(paths.map((path) => [`GET /v1/${path}`, { hello: 'world' }]));
  const commands = [['jobs'], ['jobs', '--json'], ['job', job], ['models'], ['datasets']];
  const foreign = await serveAnswers(t, answers);
  const { ATELIER_URL: url } = foreign.environment;
  const message = `The server at ${url} is not Atelier: its response has another form. Check --url or ATELIER_URL.\n`;
  for (const command of commands) {
    const { code, stderr } = await foreign.atelier(...command);
    assert.deepEqual([code, stderr], [1, message], command.join(' '));
  }
  const own = await serveAnswers(t, { ...answers, 'GET /v2': { name: 'atelier', version: '9.0.0' } });
  await assert.rejects(own.atelier('jobs'), TypeError);
});

test('an error of the service is printed as text that names options, or as JSON', async (t) => {
  const detail = 'Send seed=1, testFraction=0.2 or unknown=3.';
  const answers = { 'POST /v1/datasets': problem(422, 'invalid', detail) };
  const { atelier } = await serveAnswers(t, answers);
  const text = 'Send --seed 1, --test-fraction 0.2 or unknown=3.\n';
  const file = import.meta.filename;
  assert.deepEqual(await atelier('upload', file), { code: 1, stdout: '', stderr: text });
  const { code, stderr } = await atelier('upload', file, '--json');
  assert.deepEqual([code, JSON.parse(stderr)], [1, { code: 'invalid', detail }]);
});

test('shows a status on a terminal only, cut to its width, and removes it at the end', async (t) => {
  const event = { type: 'progress', data: { done: 1000, coordinates: 2000 } };
  const body = `data: ${JSON.stringify(event)}\n\n`;
  const { environment } = await serveAnswers(t, {
    'POST /v1/gradient-checks': { status: 200, headers: {}, body },
  });
  for (const [isTTY, shown] of [
    [true, ['\r\u001B[K1,000 of', '\r\u001B[K', '\r\u001B[K']],
    [false, []],
  ] as const) {
    const written: (string | Uint8Array)[] = [];
    const code = await runCommandLine(['check'], {
      stdout: { write: () => {} },
      stderr: { write: (text) => written.push(text), isTTY, columns: 9 },
      environment,
      interrupted: new AbortController().signal,
    });
    assert.equal(code, 1);
    const last = written.pop();
    assert.match(String(last), /^The service has stopped .*\n$/);
    assert.deepEqual(written, shown);
  }
});

test('an interruption exits with 130, without a message', async () => {
  const written: (string | Uint8Array)[] = [];
  const output = { write: (text: string | Uint8Array) => written.push(text) };
  const code = await runCommandLine(['models'], {
    stdout: output,
    stderr: output,
    environment: {},
    interrupted: AbortSignal.abort(),
  });
  assert.deepEqual([code, written], [130, []]);
});

test('a terminal of unknown width has 80 columns', async (t) => {
  const search = {
    id: 'sea_1',
    status: 'cancelled',
    vary: [],
    objective: 'o'.repeat(200),
    repeats: 1,
    progress: { epochs: 3, plannedEpochs: 8, active: 1, waiting: 2 },
  };
  const ended = { type: 'status', data: { to: 'cancelled' } };
  const digits = { type: 'progress', data: { done: 1e60, coordinates: 1e60 } };
  const stream = (event: object) => ({
    status: 200,
    headers: {},
    body: `id: 1\ndata: ${JSON.stringify(event)}\n\n`,
  });
  const { environment } = await serveAnswers(t, {
    'GET /v1/searches/sea_1': search,
    'GET /v1/searches/sea_1/trials': { data: [] },
    'GET /v1/searches/sea_1/events': stream(ended),
    'POST /v1/gradient-checks': stream(digits),
  });
  const lengths = async (...args: string[]) => {
    const written: string[] = [];
    const output = { write: (text: string | Uint8Array) => written.push(String(text)), isTTY: true };
    const interrupted = new AbortController().signal;
    await runCommandLine(args, { stdout: output, stderr: output, environment, interrupted });
    return written[0]!.split('\n')[0]!.replace('\r\u001B[J', '').replace(CLEAR_LINE, '').length;
  };
  assert.equal(await lengths('job', 'sea_1', '--follow'), 79);
  assert.equal(await lengths('check'), 79);
});
