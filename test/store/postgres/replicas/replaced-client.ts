/** Connections to PostgreSQL that a test makes, answers and loses itself. */
import { EventEmitter } from 'node:events';
import type { TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import pg from 'pg';

/** Replaces the connections of the client until the test ends. */
export function replaceClient(t: TestContext) {
  const connections: Connection[] = [];
  const database = {
    connections,
    connect: async (): Promise<void> => {},
    query: async (text: string, values: unknown[]): Promise<unknown[]> => [{ text, values }],
  };
  class Connection extends EventEmitter {
    readonly settings: object;
    ended = 0;
    constructor(settings: object) {
      super();
      this.settings = settings;
      connections.push(this);
    }
    connect = () => database.connect();
    query = async (text: string, values: unknown[]) => ({ rows: await database.query(text, values) });
    async end() {
      this.ended += 1;
      this.emit('end');
    }
  }
  const { Client } = pg;
  pg.Client = Connection as unknown as typeof Client;
  t.after(() => {
    pg.Client = Client;
  });
  return database;
}

/** All that follows without the passing of time. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await setImmediate();
}
