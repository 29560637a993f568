/** Agreement, with a session that returns given rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAgreement } from '../../../../src/store/postgres/replicas/agreement.ts';
import type { Replicas } from '../../../../src/store/postgres/replicas/processes.ts';
import type { Session } from '../../../../src/store/postgres/replicas/session.ts';

/** @param replies of the session in turn; the last one again and again */
function setUp(replies: readonly (object | Error)[], isSteady = true) {
  const queries: unknown[] = [];
  const session = {
    async query(_statement: string, values: unknown[]) {
      const reply = replies[Math.min(queries.length, replies.length - 1)];
      queries.push(values);
      if (reply instanceof Error) throw reply;
      return [reply];
    },
  } as unknown as Session;
  const replicas = { id: 'self', isTrusted: () => true, isCutOff: () => false, isSteady: () => isSteady };
  return { queries, agreement: createAgreement(session, replicas as unknown as Replicas) };
}

test('waits until every process has received the change of its beginning', async () => {
  for (const isSteady of [true, false]) {
    const { queries, agreement } = setUp(
      [new Error('lost'), { number: 7, waiting: 2 }, { number: 9, waiting: 1 }, { number: 9, waiting: 0 }],
      isSteady,
    );
    await agreement.reach();
    assert.deepEqual(
      queries,
      [null, null, 7, 7].map((number) => ['self', number, isSteady]),
    );
    assert.deepEqual([agreement.isTrusted(), agreement.isCutOff()], [true, false]);
  }
});

test('waits no longer than a process can trust what it has read', async (t) => {
  for (const [isSteady, longest] of [
    [true, 2200],
    [false, 5200],
  ] as const) {
    let now = 0;
    const { mock } = t.mock.method(performance, 'now', () => now);
    const { queries, agreement } = setUp([{ number: 7, waiting: 1 }], isSteady);
    const reaching = agreement.reach();
    const isOver = Promise.race([
      reaching.then(() => true),
      new Promise((resolve) => setTimeout(resolve, 40, false)),
    ]);
    now = longest;
    assert.equal(await isOver, false, `${longest} ms`);
    now = longest + 1;
    await reaching;
    assert.ok(queries.length > 1);
    mock.restore();
  }
});
