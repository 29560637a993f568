/** Coverage of a calibrated version, measured on the images of a split. */
import type { JSX } from 'preact';
import type { ShownCoverage } from '../../../../src/domain/checks/coverage.ts';
import { useResource } from '../../../api/use-resource.ts';
import { DownloadLink } from '../../../components/download-link.tsx';
import { Loaded } from '../../../components/feedback/loaded.tsx';
import { Table } from '../../../components/table.tsx';
import { count, percent, significant } from '../../../format.ts';

export interface CoverageTableProps {
  /** Path of a version that has a calibration, in the API. */
  readonly path: string;
  readonly split: string;
}

/** The first result of a version on the test split is a look, so it must be shown only after an evaluation. */
export function CoverageTable({ path, split }: CoverageTableProps): JSX.Element {
  const from = `${path}/evaluation/coverage?split=${split}`;
  const resource = useResource<ShownCoverage>(from);
  return (
    <Loaded resource={resource} lines={6}>
      {({ levels, examples, reused, temperature, expectedCalibrationError: error }) => (
        <section class="box" aria-label="Measured coverage">
          <Table
            caption="Measured coverage"
            rows={levels}
            keyOf={({ coverage }) => coverage}
            columns={[
              { name: 'Coverage', isNumber: true, cell: ({ coverage }) => percent(coverage, 0) },
              { name: 'Measured', isNumber: true, cell: ({ measured }) => percent(measured) },
              { name: 'Classes of a set', isNumber: true, cell: ({ meanSize }) => meanSize.toFixed(2) },
              { name: 'Unsure', isNumber: true, cell: ({ unsure }) => percent(unsure) },
              {
                name: 'Accuracy if sure',
                isNumber: true,
                cell: ({ sureAccuracy }) => percent(sureAccuracy),
              },
            ]}
          />
          <p class="note">
            Measured on {count(examples)} images
            {reused && ', some of which also calibrated or trained the version, so new images fare worse'}.
            The temperature {significant(temperature)} changes the expected calibration error from{' '}
            {percent(error.before)} to {percent(error.after)}.
          </p>
          <span class="links">
            <DownloadLink
              name="CSV"
              file={`coverage-${split}.csv`}
              from={{ path: from, accept: 'text/csv' }}
            />
          </span>
        </section>
      )}
    </Loaded>
  );
}
