/** Replicas while their database is away. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { migratePostgres } from '../../../../src/store/postgres/migrate.ts';
import { withoutPostgres } from '../../../support/servers/postgres.ts';
import { startPostgres } from '../../../support/servers/postgres-server.ts';
import { addCleanup } from '../../../support/start-service.ts';
import { join, until } from '../join.ts';

test('a replica is not trusted during an outage of the database, and not steady right after it', {
  skip: withoutPostgres,
}, async (t) => {
  const server = await startPostgres();
  addCleanup(t, server.remove);
  await migratePostgres(server.url);
  const { replicas, messages } = await join(t, server.url);
  await until(replicas.isSteady);
  await server.kill();
  await until(replicas.isCutOff);
  assert.ok(replicas.isTrusted(), 'the others cannot take it for dead yet');
  await until(() => !replicas.isTrusted());
  assert.equal(replicas.isSteady(), false);
  await server.restart();
  await until(replicas.isTrusted);
  const trustedAt = performance.now();
  assert.equal(replicas.isCutOff(), false);
  assert.equal(replicas.isSteady(), false);
  await until(replicas.isSteady);
  assert.ok(performance.now() - trustedAt > 2500, 'after beats of 3 s');
  assert.deepEqual(
    messages.map((message) => message.split(':')[0]),
    ['the session with the database is lost', 'the session with the database is open again'],
  );
});
