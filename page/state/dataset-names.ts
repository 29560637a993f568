/** Names of uploaded data sets by their ids, read once a screen needs one. */
import { signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { DatasetSummary } from '../../src/domain/datasets/representation.ts';
import { requestJson } from '../api/client.ts';
import { apiKey } from '../api/key.ts';

const names = signal<ReadonlyMap<string, string>>(new Map());
/** Ids that have been looked up, whether they have a name or not. */
const requested = new Set<string>();
let isReading = false;

/**
 * Also for names of models: by default, they are the ids of their data sets.
 * @returns the id itself if it has no name
 */
export function useDatasetName(id: string): string {
  const key = apiKey.value;
  useEffect(() => {
    if (!id.startsWith('dst_') || requested.has(id)) return;
    requested.add(id);
    // One list for all ids of a screen. Without a name, the id is shown.
    if (!isReading) readNames().catch(() => requested.clear());
  }, [id, key]);
  return names.value.get(id) ?? id;
}

async function readNames(): Promise<void> {
  isReading = true;
  try {
    const { data } = await requestJson<{ data: DatasetSummary[] }>('/v1/datasets?limit=100', {
      isRecorded: false,
    });
    names.value = new Map(
      data.flatMap(({ id, name }) => {
        if (name === null) return [];
        const isUnique = data.every((other) => other.id === id || other.name !== name);
        return [[id, isUnique ? name : `${name} (…${id.slice(-6)})`] as const];
      }),
    );
  } finally {
    isReading = false;
  }
}
