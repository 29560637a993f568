/** One field of the form that uploads a data set: a file, a folder, a list or a text. */
import type { JSX } from 'preact';
import { Field } from '../../components/field.tsx';
import { bytes, count } from '../../format.ts';
import { chosenFolder, type Folder } from './folder.ts';
import type { UploadField } from './upload-fields.ts';

/** An attribute that the types of Preact lack. */
const WHOLE_FOLDERS = { webkitdirectory: true };

export interface UploadControlProps {
  readonly field: UploadField;
  readonly error: string | undefined;
  /** Receives the name of a chosen file. */
  readonly onFile: (name: string) => void;
  readonly folder: Folder | null;
  readonly onFolder: (folder: Folder) => void;
}

export function UploadControl({ field, error, onFile, folder, onFolder }: UploadControlProps): JSX.Element {
  const { name, label, hint, options, isFolder, accept, isRequired, placeholder } = field;
  return (
    <Field id={`upload-${name}`} label={label} hint={hint} error={error}>
      {(attributes) =>
        options ? (
          <select {...attributes} name={name}>
            {options.map((option, i) => (
              <option key={option} value={i === 0 ? '' : option}>
                {option}
              </option>
            ))}
          </select>
        ) : isFolder ? (
          <>
            <input
              {...attributes}
              type="file"
              {...WHOLE_FOLDERS}
              required={folder === null}
              onChange={({ currentTarget: { files } }) => {
                if (files?.length) onFolder(chosenFolder(files));
              }}
            />
            <p role="status">{folder && describeFolder(folder)}</p>
          </>
        ) : accept !== undefined ? (
          <input
            {...attributes}
            name={name}
            type="file"
            accept={accept}
            required={isRequired}
            onChange={(event) => onFile(event.currentTarget.files?.[0]?.name ?? '')}
          />
        ) : (
          <input {...attributes} name={name} placeholder={placeholder} />
        )
      }
    </Field>
  );
}

function describeFolder({ name, files, bytes: size }: Folder): string {
  return `${name}: ${count(files.length)} ${files.length === 1 ? 'file' : 'files'}, ${bytes(size)}`;
}
