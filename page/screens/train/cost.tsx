/** "What it will cost": the preview of a training or a search. */
import type { JSX } from 'preact';
import type { TrainingPreview } from '../../../src/domain/jobs/preview.ts';
import type { SearchPreview } from '../../../src/domain/searches/representation.ts';
import { Button } from '../../components/button.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { Skeleton } from '../../components/feedback/skeleton.tsx';
import { bytes, count, duration } from '../../format.ts';
import { groupId, SEARCH_GROUP } from './form/groups.ts';
import { setOption } from './form.ts';
import type { Preview } from './use-preview.ts';

export function Cost({
  preview,
  isSearch,
  hasFieldErrors,
}: {
  readonly preview: Preview;
  readonly isSearch: boolean;
  /** Whether all errors are shown at their fields. */
  readonly hasFieldErrors: boolean;
}): JSX.Element {
  const { training, search, problem, isOld } = preview;
  return (
    <section class={`box train-cost${isOld ? ' old' : ''}`} aria-labelledby="cost">
      <h2 id="cost">What it will cost</h2>
      {problem && !hasFieldErrors && <ProblemBox problem={problem} />}
      {problem && hasFieldErrors && (
        <p class="field-error" role="status">
          The service would reject these settings; the errors are at their fields.
        </p>
      )}
      {training && <TrainingCost preview={training} />}
      {search && <SearchCost preview={search} />}
      {isSearch && (
        <div class="train-jump">
          <Button onClick={showSearchOptions}>Options of the search</Button>
        </div>
      )}
      {!training && !search && !problem && <Skeleton lines={6} />}
    </section>
  );
}

/** The options of a search are under all others, maybe out of sight. */
function showSearchOptions(): void {
  const heading = document.getElementById(groupId(SEARCH_GROUP.name));
  heading?.scrollIntoView();
  heading?.focus({ preventScroll: true });
}

/** The time in a few words, for the bar of small screens; null if it is not known. */
export function describeTime({ training, search, problem }: Preview): string | null {
  if (problem) return problem.errors.length > 0 ? 'The service would reject these settings.' : null;
  const time = training?.time ?? search?.time;
  return time === undefined ? null : `Takes ${range(time)}.`;
}

const range = ({ seconds, low, high }: { seconds: number; low: number; high: number }) =>
  `≈ ${duration(seconds)} (${duration(low)} to ${duration(high)})`;

function TrainingCost({ preview }: { readonly preview: TrainingPreview }): JSX.Element {
  const { network, data, steps, memory, time, queue, warnings, suggested } = preview;
  return (
    <>
      <dl class="facts">
        <dt>Time</dt>
        <dd>{range(time)}</dd>
        <dt>Network</dt>
        <dd>
          {network.layers}, {count(network.parameters)} parameters
        </dd>
        <dt>Images</dt>
        <dd>
          {count(data.train)} trained on, {count(data.validation)} held out
        </dd>
        <dt>Steps</dt>
        <dd>
          {count(steps.total)}, {count(steps.perEpoch)} an epoch
        </dd>
        <dt>Memory</dt>
        <dd>
          {bytes(memory.bytes)} of {bytes(memory.availableBytes)}
        </dd>
        <dt>Start</dt>
        <dd>{describeStart(queue)}</dd>
      </dl>
      {warnings.map(({ code, message }) => (
        <p key={code} class="train-warning">
          {message}
        </p>
      ))}
      {suggested && (
        <div class="actions">
          <Button onClick={() => takeSuggestion(suggested)}>Use the suggestion</Button>
        </div>
      )}
    </>
  );
}

function takeSuggestion({ epochs, batchSize }: NonNullable<TrainingPreview['suggested']>): void {
  setOption('/training/epochs', `${epochs}`);
  setOption('/training/batchSize', `${batchSize}`);
}

function describeStart({ ahead, startsInSeconds }: TrainingPreview['queue']): string {
  if (startsInSeconds === null) return 'no replica runs jobs now';
  if (startsInSeconds < 1) return 'at once';
  return `in ≈ ${duration(startsInSeconds)}${ahead > 0 ? `, after ${count(ahead)} queued` : ''}`;
}

function SearchCost({ preview }: { readonly preview: SearchPreview }): JSX.Element {
  const { trials, repeats, rungs, plannedEpochs, validationImages, time } = preview;
  return (
    <dl class="facts">
      <dt>Time</dt>
      <dd>{range(time)}</dd>
      <dt>Settings</dt>
      <dd>
        {count(trials.length)}
        {repeats > 1 && ` × ${repeats} seeds`}
      </dd>
      <dt>Epochs</dt>
      <dd>
        {count(plannedEpochs)} in all{rungs.length > 1 && `, compared after ${rungs.join(', ')}`}
      </dd>
      <dt>Held out</dt>
      <dd>{count(validationImages)} images</dd>
      <dt>Test set</dt>
      <dd>sealed for all trials</dd>
      {time.finalSeconds > 0 && (
        <>
          <dt>Final</dt>
          <dd>≈ {duration(time.finalSeconds)} for the best setting</dd>
        </>
      )}
    </dl>
  );
}
