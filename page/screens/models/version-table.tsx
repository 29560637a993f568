/** The versions of a model, newest first: how accurate, how large, when and how made. */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { ModelVersion } from '../../../src/domain/models/representation.ts';
import type { List } from '../../api/list.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { bytes, count, dateTime, percent, shapeText } from '../../format.ts';
import { links } from '../../router.ts';
import type { ShownVersion } from '../model-version/shown-version.ts';

const FEW = 3;
const MANY = 100;

const columns: readonly Column<ModelVersion>[] = [
  {
    name: 'Version',
    cell: ({ name, version, aliases }) => (
      <a href={links.modelVersion(name, version)} aria-label={`Version ${version} of ${name}`}>
        {version}
        {aliases.includes('champion') && ' ★'}
      </a>
    ),
  },
  { name: 'Test accuracy', isNumber: true, cell: ({ testAccuracy }) => percent(testAccuracy) },
  { name: '95 % interval', isNumber: true, cell: (version) => <Interval {...version} /> },
  { name: 'Images', cell: ({ inputShape }) => shapeText(inputShape) },
  { name: 'Network', cell: ({ layers }) => layers },
  {
    name: 'Parameters',
    isNumber: true,
    cell: ({ parameters }) => count(parameters),
  },
  { name: 'Size', isNumber: true, cell: ({ parameters }) => bytes(4 * parameters) },
  { name: 'Published', cell: ({ createdAt }) => dateTime(createdAt) },
  { name: 'Source', cell: (version) => <Source version={version} /> },
];

/** @param state changes with the versions or aliases of the model; they are then loaded again */
export function VersionTable({
  model,
  total,
  state,
}: {
  readonly model: string;
  readonly total: number;
  readonly state: string;
}): JSX.Element {
  const [limit, setLimit] = useState(FEW);
  const path = `/v1/models/${encodeURIComponent(model)}/versions?limit=${limit}`;
  const versions = useResource<List<ModelVersion>>(path, { isRecorded: limit > FEW });
  useEffect(() => {
    if (versions.data !== null) versions.reload();
  }, [state]);
  return (
    <Loaded resource={versions} lines={Math.min(total, limit) + 1}>
      {({ data, hasMore }) => (
        <>
          <Table
            caption={`Versions of ${model}`}
            columns={columns}
            rows={data}
            keyOf={({ version }) => version}
          />
          {hasMore && limit < MANY && (
            <div class="actions">
              <Button kind="quiet" onClick={() => setLimit(MANY)}>
                {total <= MANY ? `Show all ${total} versions` : `Show ${MANY} of ${count(total)} versions`}
              </Button>
            </div>
          )}
        </>
      )}
    </Loaded>
  );
}

/** Lists have no intervals, so each version is read alone. */
function Interval({ name, version, testAccuracy }: ModelVersion): JSX.Element {
  const path = testAccuracy === null ? null : `/v1/models/${encodeURIComponent(name)}/versions/${version}`;
  const { data } = useResource<ShownVersion>(path, { isRecorded: false });
  const interval = data?.testSet?.interval;
  return <>{interval ? `${(100 * interval.low).toFixed(2)} – ${percent(interval.high)}` : '–'}</>;
}

export function Source({ version: { lineage } }: { readonly version: ModelVersion }): JSX.Element {
  const { jobId, source, copiedFrom } = lineage;
  if (copiedFrom !== null) {
    const { name, version } = copiedFrom;
    return (
      <>
        copy of <a href={links.modelVersion(name, version)}>{`${name}@${version}`}</a>
      </>
    );
  }
  if (jobId === null) return <>{lineage.import === null ? source : `import (${lineage.import.source})`}</>;
  return <a href={links.job(jobId)}>{`…${jobId.slice(-6)}`}</a>;
}
