/** A link that saves a file of the API or of the page. It is fetched, since a link sends no key. */
import type { JSX } from 'preact';
import { request, resolveAddress } from '../api/client.ts';
import { keyDialog } from '../api/key.ts';

export interface DownloadLinkProps {
  readonly name: string;
  readonly file: string;
  /** A path of the API, or the content itself. */
  readonly from: { readonly path: string; readonly accept?: string } | { readonly text: string };
}

export function DownloadLink({ name, file, from }: DownloadLinkProps): JSX.Element {
  const href = 'path' in from ? resolveAddress(from.path) : '#';
  async function save(event: MouseEvent): Promise<void> {
    event.preventDefault();
    const blob =
      'text' in from ? new Blob([from.text], { type: 'text/csv' }) : await fetchFile(from.path, from.accept);
    if (blob === null) return;
    const url = URL.createObjectURL(blob);
    Object.assign(document.createElement('a'), { href: url, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }
  return (
    <a href={href} download={file} onClick={(event) => void save(event)}>
      {name}
    </a>
  );
}

async function fetchFile(path: string, accept?: string): Promise<Blob | null> {
  try {
    const response = await request(path, { ...(accept !== undefined && { headers: { accept } }) });
    return await response.blob();
  } catch (error) {
    // A closed key dialog needs no message.
    if (keyDialog.value === null) reportError(error);
    return null;
  }
}
