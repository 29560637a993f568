/** Screen: a gradient check, by block. */
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { GradientCheck } from '../../../src/domain/checks/gradient.ts';
import { send } from '../../api/client.ts';
import { type ApiProblem, toProblem } from '../../api/problem.ts';
import { Button } from '../../components/button.tsx';
import { ProblemBox } from '../../components/feedback/problem-box.tsx';
import { ProgressBar } from '../../components/feedback/progress-bar.tsx';
import { Screen } from '../../components/screen.tsx';
import { query, replaceQuery } from '../../router.ts';
import { CheckFields } from './fields.tsx';
import { followCheck } from './follow.ts';
import { MyGradient } from './my-gradient.tsx';
import { Report } from './report.tsx';
import { type CheckField, type CheckForm, DEFAULTS, POINTERS, toRequest } from './request.ts';

export function Check(): JSX.Element {
  const [form, setForm] = useState(readQuery);
  const [report, setReport] = useState<GradientCheck | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [isBusy, setBusy] = useState(false);
  const [progress, setProgress] = useState<number | null>(null);
  const running = useRef(new AbortController());
  const screen = useRef<HTMLFormElement>(null);
  const errors = problem === null ? {} : fieldErrors(problem);

  async function check(): Promise<void> {
    const stop = new AbortController();
    running.current = stop;
    setBusy(true);
    replaceQuery(encodeURIComponent(JSON.stringify(changes(form))));
    try {
      const gradient = chosenFile(screen.current);
      const request = toRequest(form);
      setReport(
        gradient === null
          ? await followCheck(request, stop, setProgress)
          : await sendGradient(request, gradient, stop.signal),
      );
      setProblem(null);
    } catch (error) {
      setReport(null);
      const isStopped = error instanceof DOMException && error.name === 'AbortError';
      setProblem(isStopped ? null : toProblem(error));
    }
    setProgress(null);
    setBusy(false);
  }

  useEffect(() => {
    if (query.value !== '') void check();
    return () => running.current.abort();
  }, []);
  useEffect(() => {
    screen.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [problem]);

  return (
    <Screen title="Check">
      <p>
        Compares the gradient of backpropagation with finite differences, in float64 and block by block, and
        with the gradient of the float32 kernel that trains.
      </p>
      <form
        ref={screen}
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void check();
        }}
      >
        <CheckFields form={form} errors={errors} isBusy={isBusy} onChange={setForm} />
      </form>
      {progress !== null && (
        <div class="actions">
          <ProgressBar label="Progress of the check" fraction={progress} />
          <Button onClick={() => running.current.abort()}>Stop</Button>
        </div>
      )}
      {problem && Object.keys(errors).length === 0 && <ProblemBox problem={problem} />}
      <div role="status" class="stack">
        {report?.submitted && <MyGradient submitted={report.submitted} />}
        {report && <Report report={report} />}
      </div>
    </Screen>
  );
}

/** The file is not a part of the form's state, because an address cannot hold it. */
function chosenFile(form: HTMLFormElement | null): File | null {
  const file = form && new FormData(form).get('gradient');
  return file instanceof File && file.name !== '' ? file : null;
}

function sendGradient(
  request: Record<string, unknown>,
  gradient: File,
  signal: AbortSignal,
): Promise<GradientCheck> {
  const form = { request: JSON.stringify(request), gradient };
  return send('/v1/gradient-checks', undefined, { form, signal });
}

type FieldErrors = Partial<Record<CheckField, string>>;

function fieldErrors({ errors }: ApiProblem): FieldErrors {
  const found: FieldErrors = {};
  for (const { pointer = '', detail } of errors) {
    const start = Object.keys(POINTERS).find((each) => `${pointer}/`.startsWith(`${each}/`));
    if (start !== undefined) found[POINTERS[start]!] ??= detail;
  }
  return found;
}

/** The fields that differ from the defaults: the state of the screen in its address. */
function changes(form: CheckForm): Partial<CheckForm> {
  const names = Object.keys(form) as (keyof CheckForm)[];
  return Object.fromEntries(
    names.filter((name) => form[name] !== DEFAULTS[name]).map((name) => [name, form[name]]),
  );
}

function readQuery(): CheckForm {
  try {
    return { ...DEFAULTS, ...JSON.parse(decodeURIComponent(query.value)) };
  } catch {
    return DEFAULTS;
  }
}
