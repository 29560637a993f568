/** Pause, resume, finish, cancel, repeat and delete a search. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Search } from '../../../src/domain/searches/representation.ts';
import { send } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog, type ConfirmDialogProps } from '../../components/dialogs/confirm-dialog.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { links, navigate } from '../../router.ts';
import { trainLink } from '../job/tabs/request.ts';

type Change = 'pause' | 'resume' | 'finish' | 'cancel' | 'delete';

const NAMES: Readonly<Record<Change, string>> = {
  pause: 'Pause',
  resume: 'Resume',
  finish: 'Finish with the best so far',
  cancel: 'Cancel',
  delete: 'Delete',
};

/** Changes that a dialog confirms. */
const CONFIRMED: Partial<Record<Change, Pick<ConfirmDialogProps, 'title' | 'text' | 'confirm' | 'back'>>> = {
  cancel: {
    title: 'Cancel the search?',
    text: 'Its trials are cancelled and no model is published. Results so far are kept.',
    confirm: 'Cancel the search',
    back: 'Go on',
  },
  delete: {
    title: 'Delete the search?',
    text: 'Its trials, their jobs and its final job are deleted for good. A version that it published stays.',
    confirm: 'Delete the search',
    back: 'Keep it',
  },
};

/** Possible changes by status; the service rejects all others. */
const POSSIBLE: Readonly<Record<Search['status'], readonly Change[]>> = {
  running: ['pause', 'finish', 'cancel'],
  pausing: ['cancel'],
  paused: ['resume', 'cancel'],
  cancelling: [],
  succeeded: ['delete'],
  failed: ['delete'],
  cancelled: ['delete'],
};

export interface ActionsProps {
  readonly path: string;
  readonly search: Search;
  readonly onChange: (search: Search) => void;
}

export function Actions({ path, search, onChange }: ActionsProps): JSX.Element {
  const [busy, setBusy] = useState<Change | null>(null);
  const [asked, setAsked] = useState<Change | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  async function apply(change: Change): Promise<void> {
    setAsked(null);
    setProblem(null);
    setBusy(change);
    try {
      if (change === 'delete') {
        await send(path, undefined, { method: 'DELETE' });
        return navigate(links.jobs());
      }
      onChange(await send<Search>(`${path}/${change}`));
    } catch (error) {
      setProblem(toProblem(error));
    }
    setBusy(null);
  }
  const button = (change: Change) => (
    <Button
      key={change}
      kind={change in CONFIRMED ? 'danger' : 'secondary'}
      isBusy={busy === change}
      onClick={() => (change in CONFIRMED ? setAsked(change) : void apply(change))}
    >
      {NAMES[change]}
    </Button>
  );
  const canFinish = !search.finishing && search.finalJob === null;
  const changes = POSSIBLE[search.status].filter((each) => each !== 'finish' || canFinish);
  const confirmed = asked && CONFIRMED[asked];
  return (
    <>
      {changes.filter((each) => !(each in CONFIRMED)).map(button)}
      <Button href={trainLink(search)}>Search again…</Button>
      {changes.filter((each) => each in CONFIRMED).map(button)}
      {problem && <ProblemBox problem={problem} />}
      {confirmed && (
        <ConfirmDialog {...confirmed} onConfirm={() => void apply(asked)} onClose={() => setAsked(null)} />
      )}
    </>
  );
}
