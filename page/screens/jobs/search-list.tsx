/** The newest searches, if there are any: a search is a job of many jobs. */
import type { JSX } from 'preact';
import type { Search } from '../../../src/domain/search/search.ts';
import { useResource } from '../../api/use-resource.ts';
import { StatusMark } from '../../components/status-mark.tsx';
import { links } from '../../router.ts';

const SHOWN = 3;

export function SearchList(): JSX.Element | null {
  const { data } = useResource<{ data: Search[] }>(`/v1/searches?limit=${SHOWN}`, {
    pollMs: 5000,
    isRecorded: false,
  });
  if (data === null || data.data.length === 0) return null;
  return (
    <section class="box" aria-labelledby="searches">
      <h2 id="searches">Searches</h2>
      <ul class="jobs-searches">
        {data.data.map(({ id, modelName, status, progress }) => (
          <li key={id}>
            <a href={links.search(id)}>{modelName}</a>
            <StatusMark status={status} />
            <span class="note">
              {progress.trials - progress.waiting - progress.active - progress.paused - progress.skipped} of{' '}
              {progress.trials} settings
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
