/** "As curl": the exact request that the screen made, to copy. */
import type { JSX } from 'preact';
import { apiKey } from '../api/key.ts';
import { lastRequest, type RecordedRequest, toCurl } from '../api/record.ts';
import { CopyButton } from './copy-button.tsx';
import { ScrollRegion } from './scroll-region.tsx';

/** @param request by default the last one that the screen made */
export function AsCurl({ request }: { readonly request?: RecordedRequest }): JSX.Element | null {
  const shown = request ?? lastRequest();
  if (shown === null) return null;
  const command = toCurl(shown, apiKey.value !== '');
  return (
    <details class="as-curl">
      <summary>As curl</summary>
      <ScrollRegion label="Command">
        <pre>{command}</pre>
      </ScrollRegion>
      <CopyButton text={command} />
    </details>
  );
}
