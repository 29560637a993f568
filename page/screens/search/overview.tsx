/** State of a search: progress, the rule by which it chooses, the best trial and the final training. */
import type { JSX } from 'preact';
import type { Search } from '../../../src/domain/search/search.ts';
import { ProgressBar } from '../../components/progress-bar.tsx';
import { StatusMark } from '../../components/status-mark.tsx';
import { count, dateTime, percent, significant } from '../../format.ts';
import { links } from '../../router.ts';
import { describeValue, nameOf } from './values.ts';

export function Overview({ search }: { readonly search: Search }): JSX.Element {
  return (
    <>
      <Progress search={search} />
      <div class="columns">
        <Facts search={search} />
        <Result search={search} />
      </div>
    </>
  );
}

function Progress({ search }: { readonly search: Search }): JSX.Element {
  const { status, progress, finishing, error, pauseReason } = search;
  const { trials, waiting, active, paused, epochs, plannedEpochs } = progress;
  const ended = trials - waiting - active - paused;
  // Trials that are stopped leave epochs out, so an ended search is complete with fewer.
  const fraction = search.finishedAt === null ? epochs / plannedEpochs : 1;
  return (
    <div class="box">
      <p class="search-progress">
        <StatusMark status={status} />
        <ProgressBar label="Epochs trained" fraction={fraction} />
        <span>
          {count(ended)} of {count(trials)} trials ended, {count(active)} active · {count(epochs)} epochs
          trained, {count(plannedEpochs)} at most
        </span>
      </p>
      {finishing && search.finishedAt === null && (
        <p>The search finishes: the best trial gets its final training.</p>
      )}
      {pauseReason !== null && <p class="note">{pauseReason}</p>}
      {error !== null && (
        <p class="problem-text" role="alert">
          {error.message} (<code>{error.code}</code>)
        </p>
      )}
    </div>
  );
}

function Facts({ search }: { readonly search: Search }): JSX.Element {
  const { id, dataset, method, halving, rungs, objective, repeats, validationImages, createdAt, seed } =
    search;
  return (
    <section class="box">
      <h2>How it chooses</h2>
      <dl class="facts">
        <dt>Settings</dt>
        <dd>{method.type === 'grid' ? 'every combination' : `${count(method.trials)} random ones`}</dd>
        <dt>Objective</dt>
        <dd>
          {objective === 'validationLoss' ? 'validation loss' : 'validation accuracy'} on{' '}
          {count(validationImages)} images
          {repeats > 1 && `, mean of ${repeats} trainings`}
        </dd>
        {halving !== null && (
          <>
            <dt>Rungs</dt>
            <dd>
              after {rungs.join(', ')} epochs, the best 1 of {halving.factor} continue
            </dd>
          </>
        )}
        <dt>Test set</dt>
        <dd>sealed: trials have 0 looks at it</dd>
        <dt>Data set</dt>
        <dd>
          <a href={links.dataset(dataset)}>{dataset}</a>
        </dd>
        <dt>Seed</dt>
        <dd class="figures">{seed}</dd>
        <dt>Created</dt>
        <dd>{dateTime(createdAt)}</dd>
        <dt>Id</dt>
        <dd>
          <code>{id}</code>
        </dd>
      </dl>
    </section>
  );
}

function Result({ search }: { readonly search: Search }): JSX.Element {
  const { best, finalJob, model, finishedAt } = search;
  return (
    <section class="box">
      <h2>{finishedAt === null ? 'Best so far' : 'Result'}</h2>
      {best === null ? (
        <p class="note">{finishedAt === null ? 'No trial has a result yet.' : 'No trial has a result.'}</p>
      ) : (
        <dl class="facts">
          <dt>Trial</dt>
          <dd class="figures">{best.trial}</dd>
          {Object.entries(best.values).map(([path, value]) => (
            <>
              <dt>{nameOf(path)}</dt>
              <dd class="figures">{describeValue(value)}</dd>
            </>
          ))}
          <dt>Validation loss</dt>
          <dd class="figures">{significant(best.validationLoss)}</dd>
          <dt>Validation accuracy</dt>
          <dd class="figures">{percent(best.validationAccuracy)}</dd>
        </dl>
      )}
      {finalJob !== null && (
        <p>
          <a href={links.job(finalJob)}>Final training</a>
          {model !== null && (
            <>
              {' '}
              → <a href={links.modelVersion(model.name, model.version)}>{`${model.name}@${model.version}`}</a>
            </>
          )}
        </p>
      )}
    </section>
  );
}
