/** Copies a text to the clipboard. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Button } from './button.tsx';

export function CopyButton({
  text,
  name = 'Copy',
}: {
  readonly text: string;
  readonly name?: string;
}): JSX.Element {
  const [state, setState] = useState(name);
  async function copy(): Promise<void> {
    // Without HTTPS, a browser has no clipboard except on loopback.
    const isCopied = await navigator.clipboard?.writeText(text).then(
      () => true,
      () => false,
    );
    setState(isCopied ? 'Copied' : 'Select the text and copy it');
    setTimeout(() => setState(name), 2000);
  }
  return (
    <Button kind="quiet" onClick={() => void copy()}>
      <span aria-live="polite">{state}</span>
    </Button>
  );
}
