/** Screen: one search, with its leaderboard and charts, kept up to date by its events. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type {
  SearchEvent,
  Search as SearchState,
  Trial,
} from '../../../src/domain/searches/representation.ts';
import { useEvents } from '../../api/event-stream.ts';
import { useResource } from '../../api/use-resource.ts';
import { Loaded } from '../../components/feedback/loaded.tsx';
import { Screen } from '../../components/screen.tsx';
import { useDatasetName } from '../../state/dataset-names.ts';
import { Actions } from './actions.tsx';
import { Charts } from './charts.tsx';
import { Leaderboard } from './leaderboard.tsx';
import { Overview } from './overview.tsx';
import { type RungValues, recordEvent } from './rung-values.ts';

/** Milliseconds from an event to the reload that it causes, so that trials that end together cause one. */
const RELOAD_AFTER_MS = 300;

export function Search({ id }: { readonly id: string }): JSX.Element {
  const path = `/v1/searches/${encodeURIComponent(id)}`;
  const search = useResource<SearchState>(path);
  const trials = useResource<{ data: Trial[] }>(`${path}/trials`, { isRecorded: false });
  const name = useDatasetName(search.data?.modelName ?? id);
  const rungValues = useRef<RungValues>(new Map()).current;
  useReloadByEvents(
    path,
    (event) => recordEvent(rungValues, event),
    () => {
      search.reload();
      trials.reload();
    },
  );
  return (
    <Screen
      title={name}
      actions={search.data && <Actions path={path} search={search.data} onChange={search.replace} />}
    >
      <Loaded resource={search} lines={8}>
        {(state) => (
          <>
            <Overview search={state} />
            <Loaded resource={trials} lines={12}>
              {({ data }) => (
                <>
                  <Leaderboard path={path} search={state} trials={data} />
                  {state.best !== null && (
                    <Charts path={path} search={state} trials={data} rungValues={rungValues} />
                  )}
                </>
              )}
            </Loaded>
          </>
        )}
      </Loaded>
    </Screen>
  );
}

function useReloadByEvents(path: string, onEvent: (event: SearchEvent) => void, reload: () => void): void {
  const timer = useRef(0);
  useEvents<SearchEvent>(`${path}/events`, {
    onEvent(event) {
      onEvent(event);
      if (timer.current !== 0) return;
      timer.current = window.setTimeout(() => {
        timer.current = 0;
        reload();
      }, RELOAD_AFTER_MS);
    },
  });
  useEffect(() => () => clearTimeout(timer.current), []);
}
