/** Migration 4: shapes of the images of data sets and models. All images had the default shape before. */
import type { Kysely } from 'kysely';
import { DEFAULT_IMAGE_SHAPE } from '../../numerics/network/image-shape.ts';
import { execute } from './0001-baseline.ts';

const DEFAULT = `text not null default '${JSON.stringify(DEFAULT_IMAGE_SHAPE)}'`;
const STATEMENTS = [
  `alter table datasets add column image_shape ${DEFAULT}`,
  `alter table model_versions add column input_shape ${DEFAULT}`,
];

export const up = (db: Kysely<unknown>): Promise<void> => execute(db, STATEMENTS);
