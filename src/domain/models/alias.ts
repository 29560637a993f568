/** Aliases: movable names for versions of a model, with their history. */
import { z } from 'zod';
import { promotionSchema } from '../training/publication.ts';
import { aliasNameSchema } from './reference.ts';

const CALLER = 'Name of the API key, `anonymous`, or `service` if publishing a version moved it';

export const aliasSchema = z
  .object({
    alias: aliasNameSchema,
    version: z.int().min(1),
    movedAt: z.string().describe('When the alias was pointed at this version'),
    movedBy: z.string().describe(CALLER),
    warning: z
      .string()
      .optional()
      .describe(
        'Only in the response of a move: the version before was calibrated, and the version after it is not',
      ),
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
    caller: z.string().describe(CALLER),
    promotion: promotionSchema
      .nullable()
      .describe('Why publishing a version moved the alias; null if a client moved it'),
  })
  .meta({ id: 'AliasMove' });
export type AliasMove = z.infer<typeof aliasMoveSchema>;
