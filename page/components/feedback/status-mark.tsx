/** Status of a job or a search, by word and colour. */
import type { JSX } from 'preact';

export function StatusMark({ status }: { readonly status: string }): JSX.Element {
  return <span class={`status ${status}`}>{status}</span>;
}
