/** Screen: training jobs, newest first, to filter, to open, and to select for a comparison. */
import type { JSX } from 'preact';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { useResource } from '../../api/use-resource.ts';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/feedback/empty-state.tsx';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { Screen } from '../../components/screen.tsx';
import { links, navigate } from '../../router.ts';
import { parameter, setParameters, withParameters } from '../../state/parameters.ts';
import { Filters } from './filters.tsx';
import { JobTable } from './job-table.tsx';
import { SearchList, type SearchPage, searchesPath } from './search-list.tsx';

interface JobPage {
  readonly data: readonly TrainingJob[];
  readonly lastId: string | null;
  readonly hasMore: boolean;
}

/** Colours of a chart. */
const MAX_SELECTED = 8;
const POLL_MS = 2000;
const FILTERS = ['status', 'modelName', 'search'] as const;

export function Jobs(): JSX.Element {
  const sent = new URLSearchParams();
  for (const name of [...FILTERS, 'after'] as const)
    if (parameter(name) !== '') sent.set(name, parameter(name));
  const jobs = useResource<JobPage>(`/v1/training-jobs${sent.size > 0 ? `?${sent}` : ''}`, {
    pollMs: POLL_MS,
  });
  const searches = useResource<SearchPage>(searchesPath(), { pollMs: 5000, isRecorded: false });
  const selected = parameter('selected').split(',').filter(Boolean);
  const select = (id: string, isSelected: boolean) =>
    setParameters({
      selected: (isSelected ? [...selected, id] : selected.filter((other) => other !== id)).join(','),
    });
  const isFiltered = FILTERS.some((name) => parameter(name) !== '');
  return (
    <Screen
      title="Jobs"
      actions={
        <Button href={links.train()} kind="primary">
          Train…
        </Button>
      }
    >
      <SearchList page={searches.data} />
      <Filters searches={searches.data?.data ?? []} />
      <Loaded resource={jobs} lines={10}>
        {({ data, lastId, hasMore }) => (
          <>
            {data.length === 0 && !isFiltered && parameter('after') === '' ? (
              <EmptyState
                text="No network has been trained yet."
                action={{ name: 'Train one', href: links.train() }}
                request={{ method: 'POST', path: '/v1/training-jobs', body: { dataset: 'fashion-mnist' } }}
              />
            ) : data.length === 0 ? (
              <EmptyState
                text="No job matches these filters."
                action={{ name: 'Show all jobs', href: links.jobs() }}
              />
            ) : (
              <JobTable
                jobs={data}
                selected={selected}
                onSelect={select}
                isFull={selected.length >= MAX_SELECTED}
              />
            )}
            <div class="actions">
              {parameter('after') !== '' && (
                <Button onClick={() => navigate(`${links.jobs()}?${withParameters({ after: '' })}`)}>
                  Newest
                </Button>
              )}
              {hasMore && (
                <Button
                  onClick={() => navigate(`${links.jobs()}?${withParameters({ after: lastId ?? '' })}`)}
                >
                  Older
                </Button>
              )}
            </div>
          </>
        )}
      </Loaded>
      {selected.length > 0 && (
        <div class="box jobs-selected" role="status">
          <div class="actions">
            <span>
              {selected.length} of at most {MAX_SELECTED} jobs selected
            </span>
            {selected.length > 1 && (
              <Button kind="primary" href={links.compare(selected)}>
                Compare {selected.length} jobs
              </Button>
            )}
            <Button kind="quiet" onClick={() => setParameters({ selected: '' })}>
              Clear
            </Button>
          </div>
        </div>
      )}
    </Screen>
  );
}
