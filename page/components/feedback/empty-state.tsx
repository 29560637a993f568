/** An empty list: one sentence, one button, one curl. */
import type { JSX } from 'preact';
import type { RecordedRequest } from '../../api/record.ts';
import { AsCurl } from '../as-curl.tsx';
import { Button } from '../button.tsx';

export interface EmptyStateProps {
  readonly text: string;
  readonly action?: { readonly name: string; readonly href?: string; readonly onClick?: () => void };
  /** Request that does the same as the button. */
  readonly request?: RecordedRequest;
}

export function EmptyState({ text, action, request }: EmptyStateProps): JSX.Element {
  return (
    <div class="box empty">
      <p>{text}</p>
      {action && (
        <Button
          kind="primary"
          {...(action.href !== undefined ? { href: action.href } : { onClick: action.onClick! })}
        >
          {action.name}
        </Button>
      )}
      {request && <AsCurl request={request} />}
    </div>
  );
}
