/** SIGKILL around the moment in which a job publishes and promotes a version. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import pg from 'pg';
import type { TrainingJob } from '../../src/domain/jobs/training.ts';
import { PURPOSE, randomUniform } from '../../src/numerics/random.ts';
import { openStream } from '../http/read-events.ts';
import { temporaryDatabase, withoutPostgres } from '../support/servers/postgres.ts';
import { requestJson, serviceAddress, startProcess, untilServedJob } from '../support/start-process.ts';
import { hasEnded, temporaryDirectory, tiny } from '../support/start-service.ts';

type Read = (sql: string) => Promise<Record<string, unknown>[]>;

const promoting = tiny({ modelName: 'promoted', publish: { promote: 'always', evenIfNotLearned: true } });

/** PostgreSQL's driver returns 64-bit integers as text. */
const asNumber = (column: string) => `cast(${column} as integer) as ${column}`;

/** The rows of the model and of a job. */
async function readState(read: Read, jobId: string) {
  const version = asNumber('version');
  const [job] = await read(`select status, publication from jobs where id = '${jobId}'`);
  const versions = await read(`select ${version} from model_versions where job_id = '${jobId}'`);
  return {
    job: job!,
    published: versions.map((row) => row['version']),
    aliases: await read(`select alias, ${version} from aliases where name = 'promoted'`),
    moves: await read(
      `select ${version}, ${asNumber('previous_version')}, promotion from alias_moves where name = 'promoted' order by id`,
    ),
  };
}
type State = Awaited<ReturnType<typeof readState>>;

/** Asserts that all of the publication is stored or nothing of it. @returns whether it is stored */
function assertWhole(state: State, jobId: string, before: State): boolean {
  const { job, published, aliases, moves } = state;
  if (job['status'] !== 'succeeded') {
    assert.deepEqual([published, job['publication']], [[], null]);
    assert.deepEqual([aliases, moves], [before.aliases, before.moves]);
    return false;
  }
  const [version] = published;
  assert.equal(published.length, 1);
  assert.equal(JSON.parse(String(job['publication'])).promoted, true);
  assert.deepEqual(aliases, [{ alias: 'champion', version }]);
  assert.deepEqual(moves.slice(0, -1), before.moves);
  const { promotion, ...move } = moves.at(-1)!;
  assert.deepEqual(move, { version, previous_version: before.aliases[0]!['version'] });
  assert.equal(JSON.parse(String(promotion)).jobId, jobId);
  return true;
}

/**
 * Kills the service a random time after the only epoch of each job, and later or earlier depending on whether the last
 * kill came before or after the publication, so that the kills approach it.
 */
async function killOften(start: () => ReturnType<typeof startProcess>, read: Read, kills: number) {
  const outcomes = { before: 0, after: 0 };
  let service = start();
  let base = await serviceAddress(service);
  const first = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, promoting);
  await untilServedJob(base, first.id, hasEnded);
  let before = await readState(read, first.id);
  assert.equal(before.moves.length, 1);
  let delayMs = 40;
  for (let kill = 0; kill < kills || outcomes.before * outcomes.after === 0; kill++) {
    const { id } = await requestJson<TrainingJob>(`${base}/v1/training-jobs`, promoting);
    const stream = await openStream(`${base}/v1/training-jobs/${id}/events`);
    for await (const { type } of stream.events()) if (type === 'epoch') break;
    await setTimeout(delayMs * (0.5 + randomUniform(1, PURPOSE.shuffle, 0, kill)));
    service.child.kill('SIGKILL');
    await service.exited;
    const isPublished = assertWhole(await readState(read, id), id, before);
    outcomes[isPublished ? 'after' : 'before'] += 1;
    delayMs *= isPublished ? 0.6 : 1.8;

    service = start();
    base = await serviceAddress(service);
    const job = await requestJson<TrainingJob>(`${base}/v1/training-jobs/${id}`);
    if (!hasEnded(job)) await untilServedJob(base, id, hasEnded);
    const state = await readState(read, id);
    assert.ok(assertWhole(state, id, before));
    before = state;
  }
  return outcomes;
}

test('a killed service has promoted a version with its history, or nothing, and then promotes it once', async (t) => {
  const stateDir = await temporaryDirectory(t);
  const read: Read = async (sql) => {
    const raw = new DatabaseSync(join(stateDir, 'atelier.sqlite'), { readOnly: true });
    try {
      return raw
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }));
    } finally {
      raw.close();
    }
  };
  const outcomes = await killOften(() => startProcess(t, stateDir, { NODE_V8_COVERAGE: '' }), read, 6);
  t.diagnostic(JSON.stringify(outcomes));
});

test('a killed replica has promoted a version with its history, or nothing, and then promotes it once', {
  skip: withoutPostgres,
}, async (t) => {
  const stateDir = await temporaryDirectory(t);
  const url = await temporaryDatabase(t);
  const read: Read = async (sql) => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('set search_path to atelier');
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };
  const settings = { DATABASE_URL: url, NODE_V8_COVERAGE: '' };
  const outcomes = await killOften(() => startProcess(t, stateDir, settings), read, 2);
  t.diagnostic(JSON.stringify(outcomes));
});
