/** Searches, newest first, if there are any: the last ones, or a page of all. A search is a job of many jobs. */
import type { JSX } from 'preact';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { Button } from '../../components/button.tsx';
import { DatasetName } from '../../components/dataset-name.tsx';
import { StatusMark } from '../../components/feedback/status-mark.tsx';
import { count, dateTime } from '../../format.ts';
import { links, navigate } from '../../router.ts';
import { parameter, withParameters } from '../../state/parameters.ts';

export interface SearchPage {
  readonly data: readonly Search[];
  readonly lastId: string | null;
  readonly hasMore: boolean;
}

const FEW = 3;
/** Value of the parameter `searches` for the first page of all; for further ones, the id after which they begin. */
const ALL = 'all';

/** The page of searches that the address names. */
export function searchesPath(): string {
  const shown = parameter('searches');
  return `/v1/searches${['', ALL].includes(shown) ? '' : `?after=${encodeURIComponent(shown)}`}`;
}

export function SearchList({ page }: { readonly page: SearchPage | null }): JSX.Element | null {
  const shown = parameter('searches');
  if (page === null || (page.data.length === 0 && shown === '')) return null;
  const { data, lastId, hasMore } = page;
  const isMore = hasMore || data.length > FEW;
  const show = (searches: string) => navigate(`${links.jobs()}?${withParameters({ searches })}`);
  return (
    <section class="box" aria-labelledby="searches">
      <h2 id="searches">Searches</h2>
      <ul class="jobs-searches">
        {(shown === '' ? data.slice(0, FEW) : data).map((search) => (
          <Item key={search.id} search={search} />
        ))}
      </ul>
      {(isMore || shown !== '') && (
        <div class="actions">
          {shown === '' && <Button onClick={() => show(ALL)}>All searches</Button>}
          {shown !== '' && <Button onClick={() => show('')}>Only the newest</Button>}
          {shown !== '' && hasMore && <Button onClick={() => show(lastId ?? '')}>Older searches</Button>}
        </div>
      )}
    </section>
  );
}

function Item({ search: { id, modelName, status, progress, createdAt } }: { readonly search: Search }) {
  const { trials, waiting, active, paused, skipped } = progress;
  return (
    <li>
      <a href={links.search(id)}>
        <DatasetName id={modelName} />
      </a>
      <StatusMark status={status} />
      <span class="note">
        {count(trials - waiting - active - paused - skipped)} of {count(trials)} settings
      </span>
      <time class="note" dateTime={createdAt}>
        {dateTime(createdAt)}
      </time>
      <a
        href={`${links.jobs()}?${withParameters({ search: id, after: '' })}`}
        aria-label={`Jobs of ${modelName}`}
      >
        Jobs
      </a>
    </li>
  );
}
