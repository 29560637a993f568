import assert from 'node:assert/strict';
import { test } from 'node:test';
import pg from 'pg';
import { joinDatabase } from '../../../../src/store/postgres/replicas/membership.ts';
import { failure } from '../../fixtures.ts';
import { OFFER } from '../join.ts';
import { replaceClient, settle } from './replaced-client.ts';

test('a process that cannot join the others closes its session', async (t) => {
  const database = replaceClient(t);
  const error = Object.assign(new pg.DatabaseError('refused', 7, 'error'), { code: '57P03' });
  database.query = async () => {
    throw error;
  };
  const options = {
    directUrl: 'postgres://server/database',
    rows: {} as never,
    offer: OFFER,
    log: { info() {}, warn() {} },
  };
  await assert.rejects(joinDatabase(options), failure('storage-unavailable', '57P03'));
  await settle();
  assert.equal(database.connections[0]!.ended, 1);
  database.connect = async () => {
    throw error;
  };
  await assert.rejects(joinDatabase(options), failure('storage-unavailable', '57P03'));
});
