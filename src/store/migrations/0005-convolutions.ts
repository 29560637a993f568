/** Migration 5: convolutions of models. All layers were fully connected before. */
import type { Kysely } from 'kysely';
import { execute } from './0001-baseline.ts';

const STATEMENTS = [
  "alter table model_versions add column convolutions text not null default '[]'",
  "alter table model_versions add column norm text not null default 'none'",
];

export const up = (db: Kysely<unknown>): Promise<void> => execute(db, STATEMENTS);
