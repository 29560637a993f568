/** The states of a resource: nothing for 150 ms, then a skeleton, then the problem or the content. */
import type { ComponentChildren, JSX } from 'preact';
import type { Resource } from '../../api/use-resource.ts';
import { ProblemBox } from './problem-box.tsx';
import { Skeleton } from './skeleton.tsx';

export interface LoadedProps<T> {
  readonly resource: Resource<T>;
  /** Lines of the skeleton. */
  readonly lines?: number;
  readonly children: (data: T) => ComponentChildren;
}

export function Loaded<T>({ resource, lines, children }: LoadedProps<T>): JSX.Element {
  const { data, problem, isSlow, isPending, reload } = resource;
  const skeleton = isSlow && <Skeleton {...(lines !== undefined && { lines })} />;
  return (
    <>
      {problem && <ProblemBox problem={problem} onRetry={reload} />}
      {data !== null && children(data)}
      {isPending ? <div class="pending">{skeleton}</div> : skeleton}
    </>
  );
}
