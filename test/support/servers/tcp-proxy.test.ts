import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { temporaryDatabase, withoutPostgres } from './postgres.ts';
import { startTcpProxy } from './tcp-proxy.ts';

test('a proxy holds statements back without closing, and cuts connections', {
  skip: withoutPostgres,
}, async (t) => {
  const url = await temporaryDatabase(t);
  const proxy = await startTcpProxy(t, url);
  const client = new pg.Client({ connectionString: proxy.through(url) });
  client.on('error', () => {}); // of the cut
  await client.connect();
  assert.equal(proxy.connections, 1);
  await client.query('create table kept (n int)');

  proxy.drop();
  let isAnswered = false;
  const held = client.query('insert into kept values (1)').then(() => {
    isAnswered = true;
  });
  const direct = new pg.Client({ connectionString: url });
  await direct.connect();
  // Two round trips to the server take longer than the statement would have taken.
  for (let n = 0; n < 2; n++) assert.deepEqual((await direct.query('select n from kept')).rows, []);
  assert.equal(isAnswered, false);

  const late = new pg.Client({ connectionString: proxy.through(url), connectionTimeoutMillis: 200 });
  await assert.rejects(late.connect(), /timeout/);
  proxy.heal();
  await held;
  assert.deepEqual((await direct.query('select n from kept')).rows, [{ n: 1 }]);

  const lost = new Promise((resolve) => client.once('end', resolve));
  proxy.cut();
  await lost;
  await direct.end();
});
