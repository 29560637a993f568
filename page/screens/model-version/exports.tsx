/** Files of a version. */
import type { JSX } from 'preact';
import { DownloadLink } from '../../components/download-link.tsx';
import { Table } from '../../components/table.tsx';
import { type ShownVersion, versionPath } from './shown-version.ts';

type File = readonly [query: string, name: string, text: string];

const FILES: readonly File[] = [
  ['onnx', 'onnx', 'Graph for any ONNX runtime, input pixels 0–1 as float32'],
  ['onnx&input=uint8', 'onnx (uint8)', 'The same graph, input pixels 0–255 as uint8'],
  ['safetensors', 'safetensors', 'Tensors with class names and preprocessing'],
  ['npz', 'npz', 'NumPy arrays W1, b1, W2, …'],
  ['npy', 'npy', 'All parameters as one packed vector'],
  ['json', 'json', 'The exact float32 numbers as text'],
];
const CALIBRATED: File = [
  'onnx&calibrated=true',
  'onnx (calibrated)',
  'The first graph, with calibrated probabilities',
];

export function Exports({
  version: { name, version, digest, calibration },
}: {
  readonly version: ShownVersion;
}): JSX.Element {
  return (
    <section class="box" aria-label="Export">
      <Table
        caption="Files of the version"
        rows={calibration ? FILES.toSpliced(2, 0, CALIBRATED) : FILES}
        keyOf={([query]) => query}
        columns={[
          {
            name: 'File',
            cell: ([query, file]) => (
              <DownloadLink
                name={file}
                file={`${name}-${version}.${query.split('&')[0]}`}
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
