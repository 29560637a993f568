/** A value as indented JSON, to read, to copy and to save. */
import type { JSX } from 'preact';
import { CopyButton } from '../../../components/copy-button.tsx';
import { DownloadLink } from '../../../components/download-link.tsx';
import { ScrollRegion } from '../../../components/scroll-region.tsx';

export interface JsonViewProps {
  readonly label: string;
  readonly value: unknown;
  readonly file: string;
}

export function JsonView({ label, value, file }: JsonViewProps): JSX.Element {
  const text = JSON.stringify(value, null, 2);
  return (
    <div class="box">
      <ScrollRegion label={label}>
        <pre>{text}</pre>
      </ScrollRegion>
      <div class="actions">
        <CopyButton text={text} />
        <DownloadLink name="JSON" file={file} from={{ text }} />
      </div>
    </div>
  );
}
