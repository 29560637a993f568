/** A resource of the API in a component: skeleton, problem, data, reload, and polling with ETags. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import { reconnections } from '../state/connection.ts';
import { request } from './client.ts';
import { apiKey } from './key.ts';
import { type ApiProblem, toProblem } from './problem.ts';

export interface Resource<T> {
  /** Null until it has been loaded. A reload keeps it. */
  readonly data: T | null;
  /** The error of the last attempt. */
  readonly problem: ApiProblem | null;
  /** Whether loading takes longer than 150 ms and there is nothing to show. */
  readonly isSlow: boolean;
  /** Whether there is nothing to show yet, neither data nor a problem. */
  readonly isPending: boolean;
  readonly reload: () => void;
  /** Shows a newer state that another request returned, such as an action on the resource. */
  readonly replace: (data: T) => void;
}

export interface ResourceOptions {
  /** Milliseconds between two requests while the document is visible; not polled by default. */
  readonly pollMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly isRecorded?: boolean;
}

/** Shorter waits show nothing. */
export const SKELETON_AFTER_MS = 150;

/** @param path null loads nothing */
export function useResource<T>(path: string | null, options: ResourceOptions = {}): Resource<T> {
  const { pollMs, headers, isRecorded } = options;
  const [state, setState] = useState<{ path: string | null; data: T | null; problem: ApiProblem | null }>({
    path,
    data: null,
    problem: null,
  });
  const [isSlow, setSlow] = useState(false);
  const [count, setCount] = useState(0);
  const key = apiKey.value;
  const reconnection = reconnections.value;

  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    const { signal } = controller;
    let etag: string | null = null;
    let isFirst = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const skeleton = setTimeout(() => setSlow(true), SKELETON_AFTER_MS);

    async function load(): Promise<void> {
      clearTimeout(timer);
      try {
        const response = await request(path!, {
          signal,
          headers: { ...headers, ...(etag !== null && { 'if-none-match': etag }) },
          isRecorded: isFirst && (isRecorded ?? true),
        });
        if (response.status !== 304) {
          etag = response.headers.get('etag');
          const data: T = await response.json();
          if (!signal.aborted) setState({ path, data, problem: null });
        } else setState((old) => (old.problem === null ? old : { ...old, problem: null }));
      } catch (error) {
        if (signal.aborted) return;
        setState((old) => ({ path, data: old.path === path ? old.data : null, problem: toProblem(error) }));
      }
      isFirst = false;
      clearTimeout(skeleton);
      setSlow(false);
      if (pollMs !== undefined && !document.hidden && !signal.aborted) timer = setTimeout(load, pollMs);
    }

    const onVisible = () => {
      if (pollMs !== undefined && !document.hidden && !isFirst) void load();
    };
    document.addEventListener('visibilitychange', onVisible, { signal });
    void load();
    return () => {
      controller.abort();
      clearTimeout(timer);
      clearTimeout(skeleton);
    };
  }, [path, count, key, reconnection, pollMs]);

  const reload = useCallback(() => setCount((old) => old + 1), []);
  const replace = useCallback((data: T) => setState({ path, data, problem: null }), [path]);
  const isCurrent = state.path === path;
  const data = isCurrent ? state.data : null;
  const problem = isCurrent ? state.problem : null;
  return {
    data,
    problem,
    isSlow: isSlow && data === null,
    isPending: path !== null && data === null && problem === null,
    reload,
    replace,
  };
}
