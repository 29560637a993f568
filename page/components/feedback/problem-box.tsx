/** An error of the API that belongs to no field: what is wrong, its code and the id of the request. */
import type { JSX } from 'preact';
import type { ApiProblem } from '../../api/problem.ts';
import { Button } from '../button.tsx';

export function ProblemBox({
  problem,
  onRetry,
}: {
  readonly problem: ApiProblem;
  readonly onRetry?: () => void;
}): JSX.Element {
  return (
    <div class="box problem" role="alert">
      <p>
        <strong>{problem.title}.</strong> {problem.message}
      </p>
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map(({ pointer, parameter, detail }) => (
            <li key={pointer ?? parameter}>
              <code>{pointer ?? parameter}</code> {detail}
            </li>
          ))}
        </ul>
      )}
      <p class="note">
        Code <code>{problem.code}</code>
        {problem.requestId !== '' && (
          <>
            {' '}
            · request <code>{problem.requestId}</code>
          </>
        )}
      </p>
      {onRetry && <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}
