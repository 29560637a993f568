import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { execute, withoutPostgres } from '../../../support/servers/postgres.ts';
import { sharedDatabase } from '../blob-database.ts';
import { join, until } from '../join.ts';

describe('replicas', { skip: withoutPostgres, concurrency: true }, () => {
  test('list each other with what they offer, and a stopped one is gone at once', async (t) => {
    const url = await sharedDatabase(t);
    const [a, b] = [await join(t, url), await join(t, url, { role: 'api', slots: 0 })];
    const ids = () => a.replicas.live().map(({ id }) => id);
    assert.ok(a.replicas.isTrusted() && b.replicas.isTrusted());
    await until(() => ids().length === 2);
    assert.deepEqual(ids(), [a.replicas.id, b.replicas.id]);
    const { id, ...offer } = a.replicas.live()[1]!;
    assert.equal(id, b.replicas.id);
    assert.deepEqual(offer, {
      role: 'api',
      slots: 0,
      jobBytes: 2 ** 33,
      environment: { kernel: 'a kernel', fused: true },
    });
    await b.replicas.close();
    await until(() => ids().length === 1);
    assert.deepEqual(await a.session.query('select id from atelier.replicas'), [{ id: a.replicas.id }]);
  });

  test('forget rows without a beat, and report the numbers of changes', async (t) => {
    const url = await sharedDatabase(t);
    await execute(
      url,
      `insert into atelier.replicas values ('old', 'all', 1, 0, '', 0, 0, now() - interval '4 s'),
      ('forgotten', 'all', 1, 0, '', 0, 0, now() - interval '2 min')`,
      `update atelier.changes set number = 7 where kind = 'models'`,
    );
    const a = await join(t, url);
    const numbers = new Promise((resolve) => a.replicas.onBeat(resolve));
    assert.deepEqual(
      a.replicas.live().map(({ id }) => id),
      [a.replicas.id],
    );
    assert.deepEqual(await numbers, { models: 7, datasets: 0, keys: 0 });
    const heard = 'select heard::integer from atelier.replicas where id = $1';
    assert.deepEqual(await a.session.query(heard, [a.replicas.id]), [{ heard: 7 }]);
    a.replicas.recordHeard(9);
    assert.deepEqual(await a.session.query(heard, [a.replicas.id]), [{ heard: 9 }]);
    const ids = await a.session.query(`select id from atelier.replicas where id <> $1`, [a.replicas.id]);
    assert.deepEqual(ids, [{ id: 'old' }]);
  });

  test('connect again when the server ends their session, and log it once', async (t) => {
    const url = await sharedDatabase(t);
    const a = await join(t, url);
    const reconnected = new Promise<void>((resolve) => a.session.onReconnected(resolve));
    await execute(
      url,
      `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name = 'atelier session'`,
    );
    await reconnected;
    assert.deepEqual(
      a.messages.map((message) => message.split(':')[0]),
      ['the session with the database is lost', 'the session with the database is open again'],
    );
    assert.ok(a.replicas.isTrusted());
  });
});
