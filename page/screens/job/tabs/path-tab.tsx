/** Tab: the path of the training over the loss, computed on demand. */
import type { JSX } from 'preact';
import { drawSgdPath } from '../../../../src/charts/sgd-path.ts';
import type { SgdPath } from '../../../../src/domain/checks/sgd-path.ts';
import type { TrainingJob } from '../../../../src/domain/jobs/training.ts';
import { requestJson } from '../../../api/client.ts';
import { useAction } from '../../../api/use-action.ts';
import { Button } from '../../../components/button.tsx';
import { Chart } from '../../../components/chart.tsx';
import { ProblemBox } from '../../../components/feedback/problem-box.tsx';
import { jobPath } from '../use-training.ts';

export function PathTab({ job }: { readonly job: TrainingJob }): JSX.Element {
  const path = `${jobPath(job.id)}/path`;
  const { isBusy, result, problem, run, stop } = useAction((signal) =>
    requestJson<SgdPath>(path, { signal }),
  );
  if (job.status !== 'succeeded') return <p>A job has a path once it has succeeded.</p>;
  return (
    <div class="stack">
      {result === null && (
        <>
          <p>
            The job is trained again from its receipt, and the path of its parameters is drawn in the plane of
            their two principal components. This takes about three times as long as the training.
          </p>
          <div class="actions">
            <Button kind="primary" isBusy={isBusy} onClick={run}>
              {isBusy ? 'Computing the path…' : 'Compute the path'}
            </Button>
            {isBusy && <Button onClick={stop}>Stop</Button>}
          </div>
        </>
      )}
      {problem && <ProblemBox problem={problem} />}
      {result && (
        <Chart
          height={480}
          file={`path-${job.id}`}
          plotPath={`${jobPath(job.id)}/plots/path`}
          draw={(options) => drawSgdPath({ subtitle: '', ...result }, options)}
          table={{
            columns: ['step', 'epoch', 'x', 'y', 'loss', 'loss on the plane'],
            rows: result.points.map(({ step, epoch, x, y, loss, planeLoss }) => [
              step,
              epoch,
              x,
              y,
              loss,
              planeLoss,
            ]),
          }}
        />
      )}
    </div>
  );
}
