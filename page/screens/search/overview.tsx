/** State of a search: progress, the rule by which it chooses, the best trial and the final training. */
import type { JSX } from 'preact';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { useResource } from '../../api/use-resource.ts';
import { DatasetName } from '../../components/dataset-name.tsx';
import { ProgressBar } from '../../components/feedback/progress-bar.tsx';
import { StatusMark } from '../../components/feedback/status-mark.tsx';
import { count, dateTime, percent, significant } from '../../format.ts';
import { links } from '../../router.ts';
import { jobPath } from '../job/use-training.ts';
import {
  describeBudget,
  describeFinish,
  describeOutcome,
  describeProgress,
  describeRungs,
} from './describe.ts';
import { describeValue, fieldName } from './values.ts';

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
  const { status, progress, finalJob, finishedAt, error, pauseReason, publication } = search;
  const { epochs, plannedEpochs } = progress;
  const isSearching = finishedAt === null && finalJob === null;
  return (
    <div class="box">
      <p class="search-progress">
        <StatusMark status={status} />
        {isSearching && <ProgressBar label="Epochs trained" fraction={epochs / plannedEpochs} />}
        <span>
          {isSearching ? describeProgress(progress) : describeOutcome(progress)} · {count(epochs)} epochs
          trained, {count(plannedEpochs)} at most
        </span>
      </p>
      {finalJob !== null && finishedAt === null && <FinalTraining id={finalJob} />}
      {search.finishing && <p>{describeFinish(search)}</p>}
      {pauseReason !== null && <p class="note">{pauseReason}</p>}
      {publication?.version === null && <p class="notice">{publication.reason}</p>}
      {error !== null && (
        <p class="problem-text" role="alert">
          {error.message} (<code>{error.code}</code>)
        </p>
      )}
    </div>
  );
}

const POLL_MS = 1000;

/** The events of a search report when its final training starts and ends, but not its epochs. */
function FinalTraining({ id }: { readonly id: string }): JSX.Element {
  const { data } = useResource<TrainingJob>(jobPath(id), { pollMs: POLL_MS, isRecorded: false });
  return (
    <p class="search-progress">
      <a href={links.job(id)}>Final training</a>
      {data && (
        <>
          <StatusMark status={data.status} />
          <ProgressBar label="Progress of the final training" fraction={data.progress.fraction} />
          <span>
            epoch {count(data.progress.epoch)}/{count(data.progress.epochs)}
          </span>
        </>
      )}
    </p>
  );
}

function Facts({ search }: { readonly search: Search }): JSX.Element {
  const { id, dataset, method, halving, rungs, budget, objective, repeats } = search;
  const { validationImages, progress, createdAt, seed } = search;
  return (
    <section class="box">
      <h2>How it chooses</h2>
      <dl class="facts">
        <dt>Settings</dt>
        <dd>{method.type === 'grid' ? 'every combination' : `${count(progress.trials)} random ones`}</dd>
        <dt>Objective</dt>
        <dd>
          {objective === 'validationLoss' ? 'validation loss' : 'validation accuracy'} on{' '}
          {count(validationImages)} images
          {repeats > 1 && `, mean of ${repeats} trainings`}
        </dd>
        {halving !== null && (
          <>
            <dt>Rungs</dt>
            <dd>{describeRungs(rungs, halving.factor)}</dd>
          </>
        )}
        {budget !== null && (
          <>
            <dt>Budget</dt>
            <dd>{describeBudget(budget)}</dd>
          </>
        )}
        <dt>Test set</dt>
        <dd>sealed: trials have 0 looks at it</dd>
        <dt>Data set</dt>
        <dd>
          <a href={links.dataset(dataset)}>
            <DatasetName id={dataset} />
          </a>
        </dd>
        <dt>Seed</dt>
        <dd class="figures">{seed}</dd>
        <dt>Created</dt>
        <dd>{dateTime(createdAt)}</dd>
        <dt>Jobs</dt>
        <dd>
          <a href={`${links.jobs()}?search=${encodeURIComponent(id)}`}>list of its jobs</a>
        </dd>
        <dt>Id</dt>
        <dd>
          <code>{id}</code>
        </dd>
      </dl>
    </section>
  );
}

function Result({ search }: { readonly search: Search }): JSX.Element {
  const { best, finishedAt } = search;
  return (
    <section class="box">
      <h2>{finishedAt === null ? 'Best so far' : 'Result'}</h2>
      {best === null && (
        <p class="note">{finishedAt === null ? 'No trial has a result yet.' : 'No trial has a result.'}</p>
      )}
      <dl class="facts">
        {best !== null && (
          <>
            <dt>Trial</dt>
            <dd class="figures">{best.trial}</dd>
            {Object.entries(best.values).map(([path, value]) => (
              <>
                <dt>{fieldName(path)}</dt>
                <dd class="figures">{describeValue(value)}</dd>
              </>
            ))}
            <dt>Validation loss</dt>
            <dd class="figures">{significant(best.validationLoss)}</dd>
            <dt>Validation accuracy</dt>
            <dd class="figures">{percent(best.validationAccuracy)}</dd>
          </>
        )}
        <FinalFacts search={search} />
      </dl>
    </section>
  );
}

function FinalFacts({ search }: { readonly search: Search }): JSX.Element {
  const { finalJob, final, model, publication, finishedAt } = search;
  const testAccuracy = publication?.testAccuracy ?? null;
  return (
    <>
      {finalJob !== null && (
        <>
          <dt>Final training</dt>
          <dd>
            <a href={links.job(finalJob)}>{`…${finalJob.slice(-6)}`}</a>
          </dd>
        </>
      )}
      {finishedAt !== null && (
        <>
          <dt>Model</dt>
          <dd>
            {model !== null ? (
              <a href={links.modelVersion(model.name, model.version)}>
                <DatasetName id={model.name} />@{model.version}
              </a>
            ) : final.trainOn === null ? (
              'none published: the search has no final training'
            ) : (
              'none published'
            )}
          </dd>
        </>
      )}
      {testAccuracy !== null && (
        <>
          <dt>Test accuracy</dt>
          <dd class="figures">{percent(testAccuracy)}</dd>
        </>
      )}
    </>
  );
}
