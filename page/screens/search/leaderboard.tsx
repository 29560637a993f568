/** Leaderboard of a search: the best trials first, with marks where chance may have decided. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Search, Trial } from '../../../src/domain/searches/representation.ts';
import { Button } from '../../components/button.tsx';
import { DownloadLink } from '../../components/download-link.tsx';
import { StatusMark } from '../../components/feedback/status-mark.tsx';
import { type Column, Table } from '../../components/table.tsx';
import { count, percent, significant } from '../../format.ts';
import { links } from '../../router.ts';
import { describeValue, fieldName } from './values.ts';

const SHOWN = 20;

export interface LeaderboardProps {
  readonly path: string;
  readonly search: Search;
  /** In order of their ranks. */
  readonly trials: readonly Trial[];
}

export function Leaderboard({ path, search, trials }: LeaderboardProps): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  return (
    <section class="box">
      <h2>Leaderboard</h2>
      <Table
        caption="Leaderboard"
        columns={listColumns(search)}
        rows={isWhole ? trials : trials.slice(0, SHOWN)}
        keyOf={({ trial }) => trial}
      />
      {trials.some(({ withinOneError, rank }) => withinOneError && rank !== 1) && (
        <p class="note">≈ within one standard error of the best: chance may have decided.</p>
      )}
      <div class="links">
        {trials.length > SHOWN && (
          <Button kind="quiet" pressed={isWhole} onClick={() => setWhole(!isWhole)}>
            {isWhole ? `Show the best ${SHOWN}` : `Show all ${count(trials.length)}`}
          </Button>
        )}
        <DownloadLink
          name="CSV"
          file={`leaderboard-${search.id}.csv`}
          from={{ path: `${path}/trials`, accept: 'text/csv' }}
        />
      </div>
    </section>
  );
}

function listColumns({ vary, repeats, objective }: Search): Column<Trial>[] {
  const isLoss = objective === 'validationLoss';
  return [
    { name: 'Rank', isNumber: true, cell: ({ rank }) => rank ?? '–' },
    ...vary.map(({ path }) => ({
      name: fieldName(path),
      isNumber: true,
      cell: ({ values }: Trial) => (path in values ? describeValue(values[path]) : '–'),
    })),
    { name: 'Epochs', isNumber: true, cell: ({ epochs }) => describeEpochs(epochs, repeats) },
    {
      name: 'Loss',
      isNumber: true,
      cell: (trial) => (
        <>
          {significant(trial.validationLoss)}
          {isLoss && errorText(trial, (error) => significant(error, 2))}
        </>
      ),
    },
    {
      name: 'Accuracy',
      isNumber: true,
      cell: (trial) => (
        <>
          {percent(trial.validationAccuracy)}
          {!isLoss && errorText(trial, (error) => (error * 100).toFixed(2))}
        </>
      ),
    },
    {
      name: <span class="visually-hidden">May be chance</span>,
      cell: ({ withinOneError, rank }) =>
        withinOneError && rank !== 1 ? <abbr title="within one standard error of the best">≈</abbr> : '',
    },
    {
      name: 'Status',
      cell: ({ status, error }) => (
        <Status status={status === 'skipped' ? 'not started' : status} error={error} />
      ),
    },
    {
      name: repeats === 1 ? 'Job' : 'Jobs',
      cell: ({ jobs, trial }) =>
        jobs.map((id, i) => (
          <>
            {i > 0 && ' '}
            <a key={id} href={links.job(id)}>{`${trial}${repeats === 1 ? '' : `.${i + 1}`}`}</a>
          </>
        )),
    },
  ];
}

/** `2 × 8` for two repeats; the sum while they differ. */
function describeEpochs(epochs: number, repeats: number): string {
  if (repeats === 1) return count(epochs);
  return epochs % repeats === 0 ? `${repeats} × ${count(epochs / repeats)}` : `${count(epochs)} in all`;
}

const errorText = ({ standardError }: Trial, format: (error: number) => string) =>
  standardError === null ? '' : ` ± ${format(standardError)}`;

function Status({ status, error }: { status: string; error: string | null }): JSX.Element {
  return (
    <>
      <StatusMark status={status} />
      {error !== null && <span class="note"> {error}</span>}
    </>
  );
}
