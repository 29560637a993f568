/** Work on a value that changes faster than the work is done: one run at a time, and the newest value wins. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { type ApiProblem, toProblem } from '../../api/problem.ts';

export interface Latest<R> {
  /** Null before the first result, and while the key is null. */
  readonly result: R | null;
  readonly problem: ApiProblem | null;
  /** Whether a newer result is on its way. */
  readonly isBusy: boolean;
}

/**
 * @param key compared by identity; null does nothing and clears the result
 * @param delayMs time before each run in which newer keys replace older ones
 */
export function useLatest<K extends object, R>(
  key: K | null,
  work: (key: K, signal: AbortSignal) => Promise<R>,
  delayMs: number,
): Latest<R> {
  const wanted = useRef(key);
  const done = useRef<K | null>(null);
  const isRunning = useRef(false);
  const controller = useRef(new AbortController());
  const [state, setState] = useState<Latest<R>>({ result: null, problem: null, isBusy: false });

  async function run(): Promise<void> {
    isRunning.current = true;
    setState((old) => ({ ...old, isBusy: true }));
    while (wanted.current !== done.current && !controller.current.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      const current = wanted.current;
      done.current = current;
      if (current === null) break;
      const { signal } = controller.current;
      const settled = await work(current, signal).then(
        (result) => ({ result, problem: null }),
        (error) => ({ result: null, problem: toProblem(error) }),
      );
      if (!signal.aborted && wanted.current !== null) {
        setState({ ...settled, isBusy: wanted.current !== current });
      }
    }
    isRunning.current = false;
    setState((old) => ({ ...old, isBusy: false }));
  }

  useEffect(() => {
    wanted.current = key;
    if (key === null) {
      done.current = null;
      setState({ result: null, problem: null, isBusy: false });
    } else if (!isRunning.current) void run();
  }, [key]);
  useEffect(() => {
    controller.current = new AbortController();
    return () => controller.current.abort();
  }, []);
  return state;
}
