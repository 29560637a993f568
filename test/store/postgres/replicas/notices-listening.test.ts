import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { NoticeKind } from '../../../../src/store/database/notices.ts';
import { createAgreement } from '../../../../src/store/postgres/replicas/agreement.ts';
import { execute, withoutPostgres } from '../../../support/servers/postgres.ts';
import { sharedDatabase } from '../blob-database.ts';
import { join, type Member, until } from '../join.ts';

const KINDS: readonly NoticeKind[] = ['event', 'job', 'queue', 'models', 'datasets', 'keys'];

const insertJob = (id: string) => `
  insert into atelier.jobs (id, status, request, created_at, attempts, progress, event_count)
  values ('${id}', 'queued', '{}', '2026-11-26T00:00:00.000Z', 0, '{}', 0)`;
const setStatus = (id: string, status: string) =>
  `update atelier.jobs set status = '${status}' where id = '${id}'`;
const insertEvent = (job: string, id: number) => `
  insert into atelier.events (job_id, id, type, at, data) values ('${job}', ${id}, 'progress', '', '{}')`;
const INSERT_MODEL = `
  insert into atelier.models values ('m', '', 1, 0);
  insert into atelier.blobs (digest, bytes, whole) values ('', 0, true);
  insert into atelier.model_versions (name, version, created_at, layer_sizes, activation, fused, class_names, digest, metadata, tags)
    select 'm', version, '', '', 'relu', 0, '', '', '', '' from generate_series(1, 2) as version`;
const MOVE = `
  insert into atelier.aliases (name, alias, version, moved_at, moved_by) values ('m', 'champion', 1, '', '')
  on conflict (name, alias) do update set version = 3 - aliases.version`;

/** Records the notices of a member from now on. */
function record({ notices }: Member): string[] {
  const received: string[] = [];
  for (const kind of KINDS) notices.on(kind, (jobId) => received.push(`${kind} ${jobId}`.trim()));
  return received;
}

describe('notices', { skip: withoutPostgres, concurrency: true }, () => {
  test('every committed change is announced, in order, to a process that did not make it', async (t) => {
    const url = await sharedDatabase(t);
    const { notices, ...member } = await join(t, url);
    await until(() => notices.mode() === 'listening');
    const received = record({ notices, ...member });
    // The last read may still announce changes of which the listeners were not notified.
    await until(() => received.includes('queue'));
    received.length = 0;
    await execute(
      url,
      `${insertJob('job_1')}; ${insertEvent('job_1', 1)}; ${insertEvent('job_1', 2)}`,
      setStatus('job_1', 'running'),
      setStatus('job_1', 'cancelling'),
      INSERT_MODEL,
      `begin; ${MOVE}; ${MOVE}; rollback; begin; ${MOVE}; ${MOVE}; commit`,
      `insert into atelier.keys values ('bootstrap', '')`,
    );
    await until(() => received.includes('keys'));
    assert.deepEqual(received, ['queue', 'event job_1', 'job job_1', 'models m', 'models m', 'keys']);
  });

  test('a lost session reads the tables after it has connected again', async (t) => {
    const url = await sharedDatabase(t);
    const member = await join(t, url);
    const { notices, session } = member;
    let gaps = 0;
    notices.onGap(() => gaps++);
    await execute(url, INSERT_MODEL, insertJob('job_1'), insertJob('job_2'), setStatus('job_2', 'running'));
    notices.follow('job_1');
    const unfollow = notices.follow('job_2');
    unfollow();
    await until(() => gaps > 0);
    const received = record(member);
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'atelier session'`;
    await execute(
      url,
      `${kill}; ${insertEvent('job_1', 1)}; update atelier.jobs set event_count = 1; ${MOVE};
      update atelier.jobs set status = 'pausing', runner = '${member.replicas.id}' where id = 'job_2'`,
    );
    await until(() => gaps > 1);
    for (const notice of ['event job_1', 'job job_2', 'models', 'queue'])
      assert.ok(received.includes(notice), notice);
    assert.ok(!received.includes('event job_2'));
    await session.query('select 1');
  });

  test('agreement waits for all live processes', async (t) => {
    const url = await sharedDatabase(t);
    const [a, b] = [await join(t, url), await join(t, url)];
    await until(() => a.notices.mode() === 'listening' && b.notices.mode() === 'listening');
    const agreement = createAgreement(a.session, a.replicas);
    let seen = 0;
    b.notices.on('models', () => seen++);
    await execute(url, INSERT_MODEL);
    const times: number[] = [];
    for (let move = 0; move < 100; move++) {
      const before = seen;
      const startedAt = performance.now();
      await a.session.query(MOVE);
      await agreement.reach();
      times.push(performance.now() - startedAt);
      assert.ok(seen > before, 'the other process has heard of the move');
    }
    times.sort((x, y) => x - y);
    t.diagnostic(`move and agreement: ${times[50]!.toFixed(1)} ms median, ${times[98]!.toFixed(1)} ms p99`);
  });
});
