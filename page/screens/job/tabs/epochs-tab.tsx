/** Tab: the last epochs as a table, and all of them as CSV. */
import type { JSX } from 'preact';
import { DownloadLink } from '../../../components/download-link.tsx';
import { Table } from '../../../components/table.tsx';
import { duration } from '../../../format.ts';
import type { Training } from '../use-training.ts';
import { bestEpoch } from './best-epoch.ts';
import { allColumns } from './epoch-table.ts';

const SHOWN = 20;

export function EpochsTab({
  training: { records, job, path },
}: {
  readonly training: Training;
}): JSX.Element {
  if (records.length === 0) return <p>No epoch has been completed.</p>;
  const best = bestEpoch(records);
  return (
    <div class="stack">
      <Table
        caption={`The last ${SHOWN} epochs`}
        rows={records.slice(-SHOWN)}
        keyOf={({ epoch }) => epoch}
        columns={[
          {
            name: 'epoch',
            isNumber: true,
            cell: ({ epoch }) => (
              <>
                {epoch === best && <span title="Best epoch">◆ </span>}
                {epoch}
              </>
            ),
          },
          ...allColumns(records).map(({ name, value, text }) => ({
            name,
            isNumber: true,
            cell: (record: (typeof records)[number]) => text(value(record)),
          })),
          {
            name: 'duration',
            isNumber: true,
            cell: ({ durationMs, evaluationMs }) => duration((durationMs + evaluationMs) / 1000),
          },
        ]}
      />
      <p class="links">
        <DownloadLink
          name={`All ${records.length.toLocaleString('en')} epochs as CSV`}
          file={`epochs-${job.data?.id}.csv`}
          from={{ path: `${path}/metrics`, accept: 'text/csv' }}
        />
        <span class="note">◆ best epoch</span>
      </p>
    </div>
  );
}
