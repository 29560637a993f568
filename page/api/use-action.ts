/** A request that a button starts: whether it runs, its result, its problem, and how to stop it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type ApiProblem, toProblem } from './problem.ts';

export interface Action<T> {
  readonly isBusy: boolean;
  /** Result of the last run that succeeded. */
  readonly result: T | null;
  readonly problem: ApiProblem | null;
  readonly run: () => void;
  readonly stop: () => void;
}

/** @param start sends the request; its signal aborts when the component is unmounted */
export function useAction<T>(start: (signal: AbortSignal) => Promise<T>): Action<T> {
  const [state, setState] = useState<Pick<Action<T>, 'isBusy' | 'result' | 'problem'>>({
    isBusy: false,
    result: null,
    problem: null,
  });
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(), []);

  async function run(): Promise<void> {
    controller.current = new AbortController();
    const { signal } = controller.current;
    setState((old) => ({ ...old, isBusy: true, problem: null }));
    try {
      const result = await start(signal);
      if (!signal.aborted) setState({ isBusy: false, result, problem: null });
    } catch (error) {
      const problem = signal.aborted ? null : toProblem(error);
      setState((old) => ({ ...old, isBusy: false, problem }));
    }
  }
  return { ...state, run: () => void run(), stop: () => controller.current?.abort() };
}
