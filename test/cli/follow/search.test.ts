import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Context } from '../../../cli/command.ts';
import { describeResult, followSearch } from '../../../cli/follow/search.ts';
import type { Search } from '../../../src/domain/searches/representation.ts';

const search = {
  status: 'succeeded',
  error: null,
  model: { name: 'pets', version: 3 },
  publication: { reason: 'It is the first version.' },
  best: { trial: 2, values: { '/training/l2': 0.1, '/network/hidden': [8] } },
};
const describe = (changes: object) => describeResult({ ...search, ...changes } as unknown as Search);

test('describes the result of a search', () => {
  const best = 'Best: trial 2 with /training/l2 = 0.1, /network/hidden = [8].';
  const end = ' Trials with * may be as good.';
  assert.equal(describe({}), `${best} Published pets@3.${end}`);
  assert.equal(
    describe({ model: null, publication: { reason: 'It did not learn.' } }),
    `${best} Published nothing. It did not learn.${end}`,
  );
  assert.equal(describe({ model: null, publication: null }), `${best}${end}`);
});

test('describes the end of a search without a result', () => {
  const error = { code: 'search-failed', message: 'All trials failed.' };
  assert.equal(
    describe({ status: 'failed', error }),
    'The search failed: All trials failed. (search-failed)',
  );
  assert.equal(describe({ status: 'cancelled' }), 'The search was cancelled.');
});

const SEARCH = {
  ...search,
  id: 'sea_1',
  model: null,
  vary: [],
  objective: 'validationLoss',
  repeats: 1,
  progress: { epochs: 3, plannedEpochs: 8, active: 1, waiting: 2 },
};
const EVENTS = [
  { type: 'rung', data: { epoch: 4, continued: [1, 3] } },
  { type: 'status', data: { to: 'succeeded' } },
];
const RESULT = 'Best: trial 2 with /training/l2 = 0.1, /network/hidden = [8].';
const PUBLISHED = `${RESULT} Published pets@3. Trials with * may be as good.\n`;
const UNPUBLISHED = `${RESULT} Published nothing. It is the first version. Trials with * may be as good.\n`;
const TABLE = '  TRIAL  validationLoss  accuracy  epochs  status';
const PATH = '/v1/searches/sea_1';

interface Options {
  readonly changes?: object;
  readonly events?: Error;
  readonly json?: boolean;
  readonly columns?: number;
  readonly interrupted?: AbortController;
}

/** Follows a search, and returns the exit code, the output, the notes and the paths that were read. */
async function follow({ changes, events, json = false, columns, interrupted }: Options) {
  const [output, notes, paths]: [string[], string[], string[]] = [[], [], []];
  let attempts = 0;
  const client = {
    async attempt(path: string) {
      if (path === '/v1/models/pets') return Response.json({ aliases: {}, latest: { version: 3 } });
      if (path !== `${PATH}/events`) throw new Error(`${path} does not exist.`);
      if (events) throw events;
      // The first connection is lost at once.
      if (attempts++ === 0) return new Response('retry: 1\n');
      return new Response(EVENTS.map((each, n) => `id: ${n}\ndata: ${JSON.stringify(each)}\n\n`).join(''));
    },
    async json(path: string) {
      paths.push(path);
      return path === PATH ? { ...SEARCH, ...changes } : { data: [] };
    },
  };
  const context = {
    client,
    json,
    interrupted: (interrupted ?? new AbortController()).signal,
    columns: columns ?? null,
    write: (text: string) => output.push(text),
    note: (line: string) => notes.push(line),
  };
  const code = await followSearch(context as unknown as Context, SEARCH as unknown as Search);
  return { code, stdout: output.join(''), notes, paths };
}

test('prints the events of a search, its leaderboard, its result and the served version', async () => {
  const events = 'connection lost, reconnecting\nafter epoch 4, trials 1, 3 continue\nstatus: succeeded\n';
  assert.deepEqual(await follow({ changes: { model: { name: 'pets', version: 3 } } }), {
    code: 0,
    stdout: `${events}${TABLE}\n${PUBLISHED}Version 3 is served.\n`,
    notes: [],
    paths: [PATH, `${PATH}/trials`],
  });
  const { stdout } = await follow({});
  assert.equal(stdout, `${events}${TABLE}\n${UNPUBLISHED}`);
});

test('notes the end of a search that was cancelled, and exits with 1', async () => {
  const { code, stdout, notes } = await follow({ changes: { status: 'cancelled' } });
  assert.deepEqual([code, notes], [1, ['The search was cancelled.']]);
  assert.ok(stdout.endsWith(`\n${TABLE}\n`), stdout);
});

test('redraws the leaderboard on a terminal after each event, and prints the result below', async () => {
  const { stdout, paths } = await follow({ columns: 80 });
  const drawn = (up: string) =>
    `${up}\r\u001B[J${TABLE}\nsucceeded: 3 of at most 8 epochs, 1 active, 2 waiting\n`;
  assert.equal(stdout, `${drawn('')}${drawn('\u001B[2A')}${UNPUBLISHED}`);
  const redraw = [PATH, `${PATH}/trials`];
  assert.deepEqual(paths, [...redraw, ...redraw, PATH]);
});

test('prints events and the search as lines of JSON, and nothing else', async () => {
  for (const columns of [80, undefined]) {
    const { code, stdout, notes } = await follow({ json: true, ...(columns && { columns }) });
    const lines = stdout.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line)),
      [...EVENTS, SEARCH],
    );
    assert.deepEqual([code, notes], [0, []]);
  }
});

test('an interruption leaves the search running, and other errors are not hidden', async () => {
  const interrupted = new AbortController();
  interrupted.abort();
  assert.deepEqual(await follow({ events: new Error('interrupted'), interrupted }), {
    code: 130,
    stdout: '',
    notes: ['The search continues. Cancel it with: npx atelier cancel sea_1'],
    paths: [],
  });
  const error = new SyntaxError('a defect');
  await assert.rejects(follow({ events: error }), error);
});
