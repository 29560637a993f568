/** Files of a version. */
import type { JSX } from 'preact';
import { DownloadLink } from '../../components/download-link.tsx';
import { Table } from '../../components/table.tsx';
import { type ShownVersion, versionPath } from './shown-version.ts';

const FILES: readonly (readonly [query: string, format: string, text: string])[] = [
  ['onnx', 'onnx', 'Graph for any ONNX runtime, input pixels 0–1 as float32'],
  ['onnx&input=uint8', 'onnx', 'The same graph, input pixels 0–255 as uint8'],
  ['safetensors', 'safetensors', 'Tensors with class names and preprocessing'],
  ['npz', 'npz', 'NumPy arrays W1, b1, W2, …'],
  ['npy', 'npy', 'All parameters as one packed vector'],
  ['json', 'json', 'The exact float32 numbers as text'],
];

export function Exports({
  version: { name, version, digest },
}: {
  readonly version: ShownVersion;
}): JSX.Element {
  return (
    <section class="box" aria-label="Export">
      <Table
        caption="Files of the version"
        rows={FILES}
        keyOf={([query]) => query}
        columns={[
          {
            name: 'File',
            cell: ([query, format]) => (
              <DownloadLink
                name={query === format ? format : `${format} (uint8)`}
                file={`${name}-${version}.${format}`}
                from={{ path: `${versionPath(name, version)}/export?format=${query}` }}
              />
            ),
          },
          { name: 'Content', cell: ([, , text]) => text },
        ]}
      />
      <p class="note">
        Each file is read back and verified before it is sent. Digest of the parameters: <code>{digest}</code>
      </p>
    </section>
  );
}
