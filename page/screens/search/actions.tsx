/** Pause, resume, finish and cancel a search. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Search } from '../../../src/domain/search/search.ts';
import { send } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { ProblemBox } from '../../components/problem-box.tsx';

type Change = 'pause' | 'resume' | 'finish' | 'cancel';

const NAMES: Readonly<Record<Change, string>> = {
  pause: 'Pause',
  resume: 'Resume',
  finish: 'Finish with the best so far',
  cancel: 'Cancel',
};

/** Possible changes by status; the service rejects all others. */
const POSSIBLE: Partial<Record<Search['status'], readonly Change[]>> = {
  running: ['pause', 'finish', 'cancel'],
  pausing: ['cancel'],
  paused: ['resume', 'cancel'],
};

export interface ActionsProps {
  readonly path: string;
  readonly search: Search;
  readonly onChange: (search: Search) => void;
}

export function Actions({ path, search, onChange }: ActionsProps): JSX.Element {
  const [busy, setBusy] = useState<Change | null>(null);
  const [isCancelling, setCancelling] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  async function apply(change: Change): Promise<void> {
    setCancelling(false);
    setProblem(null);
    setBusy(change);
    try {
      onChange(await send<Search>(`${path}/${change}`));
    } catch (error) {
      setProblem(toProblem(error));
    }
    setBusy(null);
  }
  const changes = (POSSIBLE[search.status] ?? []).filter((each) => each !== 'finish' || !search.finishing);
  return (
    <>
      {changes.map((change) => (
        <Button
          key={change}
          kind={change === 'cancel' ? 'danger' : 'secondary'}
          isBusy={busy === change}
          onClick={() => (change === 'cancel' ? setCancelling(true) : void apply(change))}
        >
          {NAMES[change]}
        </Button>
      ))}
      {problem && <ProblemBox problem={problem} />}
      {isCancelling && (
        <ConfirmDialog
          title="Cancel the search?"
          text="Its trials are cancelled and no model is published. Results so far are kept."
          confirm="Cancel the search"
          back="Go on"
          onConfirm={() => void apply('cancel')}
          onClose={() => setCancelling(false)}
        />
      )}
    </>
  );
}
