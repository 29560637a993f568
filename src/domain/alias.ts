/** Aliases: movable names for versions of a model, with their history. */
import { z } from 'zod';
import { aliasNameSchema } from './model-reference.ts';

export const aliasSchema = z
  .object({
    alias: aliasNameSchema,
    version: z.int().min(1),
    movedAt: z.string().describe('When the alias was pointed at this version'),
    movedBy: z.string().describe('Name of the API key that moved the alias, or `anonymous`'),
  })
  .meta({ id: 'Alias' });
export type Alias = z.infer<typeof aliasSchema>;

export const aliasMoveSchema = z
  .object({
    id: z.int().min(1).describe('Number of the move within the model, ascending'),
    alias: aliasNameSchema,
    version: z.int().nullable().describe('Version after the move; null if the alias was deleted'),
    previousVersion: z
      .int()
      .nullable()
      .describe(
        'Version before the move; null if the alias was new. Move the alias back to it to undo this move',
      ),
    at: z.string(),
    caller: z.string().describe('Name of the API key, or `anonymous`'),
  })
  .meta({ id: 'AliasMove' });
export type AliasMove = z.infer<typeof aliasMoveSchema>;
