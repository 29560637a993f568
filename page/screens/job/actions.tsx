/** Actions on a job: pause, resume, cancel, repeat, verify, report, delete. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { TrainingJob } from '../../../src/domain/jobs/training.ts';
import { send } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog, type ConfirmDialogProps } from '../../components/dialogs/confirm-dialog.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { links, navigate } from '../../router.ts';
import { rebuildRequest, trainLink } from './tabs/request.ts';
import { jobPath } from './use-training.ts';

type Verb = 'pause' | 'resume' | 'cancel' | 'verify' | 'delete';

/** Actions that a dialog confirms. */
const CONFIRMED: Partial<Record<Verb, Pick<ConfirmDialogProps, 'title' | 'text' | 'confirm'>>> = {
  cancel: {
    title: 'Cancel the job?',
    text: 'It ends for good and publishes no model. Its metrics and checkpoints are kept.',
    confirm: 'Cancel the job',
  },
  delete: {
    title: 'Delete the job?',
    text: 'Its events, metrics and checkpoints are deleted for good. Versions that it published stay.',
    confirm: 'Delete the job',
  },
};

export interface ActionsProps {
  readonly job: TrainingJob;
  readonly onChange: (job: TrainingJob) => void;
}

export function Actions({ job, onChange }: ActionsProps): JSX.Element {
  const [busy, setBusy] = useState<Verb | null>(null);
  const [asked, setAsked] = useState<Verb | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const path = jobPath(job.id);

  async function run(verb: Verb): Promise<void> {
    setBusy(verb);
    setAsked(null);
    setProblem(null);
    try {
      if (verb === 'delete') {
        await send(path, undefined, { method: 'DELETE' });
        return navigate(links.jobs());
      }
      const changed = await send<TrainingJob>(`${path}/${verb}`);
      if (verb === 'verify') return navigate(links.job(changed.id));
      onChange(changed);
    } catch (error) {
      setProblem(toProblem(error));
    } finally {
      setBusy(null);
    }
  }

  const action = (verb: Verb, name: string) => (
    <Button
      key={verb}
      kind={verb in CONFIRMED ? 'danger' : 'secondary'}
      isBusy={busy === verb}
      onClick={() => (verb in CONFIRMED ? setAsked(verb) : void run(verb))}
    >
      {name}
    </Button>
  );
  const { status } = job;
  const isEnded = job.finishedAt !== null;
  const confirmed = asked && CONFIRMED[asked];
  return (
    <>
      {(status === 'queued' || status === 'running') && action('pause', 'Pause')}
      {status === 'paused' && action('resume', 'Resume')}
      <Button href={trainLink(rebuildRequest(job))}>Train again…</Button>
      {status === 'succeeded' && action('verify', 'Verify')}
      {!isEnded && status !== 'cancelling' && action('cancel', 'Cancel')}
      {isEnded && action('delete', 'Delete')}
      {confirmed && (
        <ConfirmDialog
          {...confirmed}
          back="Back"
          onConfirm={() => void run(asked)}
          onClose={() => setAsked(null)}
        />
      )}
      {problem && <ProblemBox problem={problem} />}
    </>
  );
}
