/** A slider over the epochs that reads out the numbers of one of them. */
import type { JSX } from 'preact';
import type { EpochRecord } from '../../../../src/domain/jobs/epoch-record.ts';
import { allColumns } from './epoch-table.ts';

export interface EpochCursorProps {
  /** At least one. */
  readonly records: readonly EpochRecord[];
  /** Null is the last epoch, also when there are more. */
  readonly chosen: number | null;
  readonly onChoose: (epoch: number | null) => void;
}

export function EpochCursor({ records, chosen, onChoose }: EpochCursorProps): JSX.Element {
  const last = records.at(-1)!;
  const first = records[0]!.epoch;
  const record = records[(chosen ?? last.epoch) - first] ?? last;
  const columns = allColumns(records);
  const text = `Epoch ${record.epoch}: ${columns
    .map(({ name, value, text }) => `${name} ${text(value(record))}`)
    .join(', ')}`;
  return (
    <div class="box job-cursor">
      <input
        type="range"
        aria-label="Epoch"
        aria-valuetext={text}
        min={first}
        max={last.epoch}
        value={record.epoch}
        onInput={({ currentTarget: { valueAsNumber } }) =>
          onChoose(valueAsNumber === last.epoch ? null : valueAsNumber)
        }
      />
      <output class="job-numbers" aria-hidden="true">
        <span>
          epoch <b>{record.epoch}</b>
        </span>
        {columns.map(({ name, value, text }) => (
          <span key={name}>
            {name} <b>{text(value(record))}</b>
          </span>
        ))}
      </output>
    </div>
  );
}
