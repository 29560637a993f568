/** Migration 3: trace contexts of the requests that created jobs and searches. */
import type { Kysely } from 'kysely';
import { execute } from './0001-baseline.ts';

const STATEMENTS = [
  'alter table jobs add column traceparent text',
  'alter table searches add column traceparent text',
];

export const up = (db: Kysely<unknown>): Promise<void> => execute(db, STATEMENTS);
