/** Filters of lists: query parameters that several lists have. */
import { z } from 'zod';

const time = z.iso.datetime({
  offset: true,
  error: 'must be a time of RFC 3339 with its zone, such as 2026-11-26T12:00:00Z',
});

export const creationFilters = {
  createdAfter: time.optional().describe('Only what was created after this time'),
  createdBefore: time.optional().describe('Only what was created before this time'),
};

const MAX_METADATA_ENTRIES = 8;

/** Metadata that a record must have. Each entry is a parameter, such as metadata.team=vision (see query-records.ts). */
export const metadataFilter = z
  .record(z.string().min(1).max(64), z.string().max(256), {
    error: 'must be given with a key, as in metadata.team=vision',
  })
  .refine(
    (entries) => Object.keys(entries).length <= MAX_METADATA_ENTRIES,
    `must have at most ${MAX_METADATA_ENTRIES} entries`,
  )
  .optional();
