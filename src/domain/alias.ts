/** Aliases: names for versions that move, and what became of them. */
import { z } from 'zod';
import { aliasNameSchema } from './model-reference.ts';

export const aliasSchema = z
  .object({
    alias: aliasNameSchema,
    version: z.int().min(1),
    movedAt: z.string().describe('Since when it points there'),
    movedBy: z.string().describe('Name of the key that moved it, or `anonymous`'),
  })
  .meta({ id: 'Alias' });
export type Alias = z.infer<typeof aliasSchema>;

export const aliasMoveSchema = z
  .object({
    id: z.int().min(1).describe('Counts up within a model'),
    alias: aliasNameSchema,
    version: z.int().nullable().describe('null where the alias was deleted'),
    previousVersion: z.int().nullable().describe('null where the alias was new; moving it there undoes this'),
    at: z.string(),
    caller: z.string().describe('Name of the key, or `anonymous`'),
  })
  .meta({ id: 'AliasMove' });
export type AliasMove = z.infer<typeof aliasMoveSchema>;
