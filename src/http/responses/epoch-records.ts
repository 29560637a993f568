/** Epoch records of a job as JSON or CSV. Records never change, so the text of a job only grows. */
import { type EpochRecord, epochRecordSchema } from '../../domain/jobs/epoch-record.ts';
import type { TrainingService } from '../../services/training/jobs.ts';
import { createByteCache, formatTag, JSON_TYPE, type Prepared } from '../conditional/prepared.ts';

interface Format {
  readonly type: string;
  readonly start: string;
  /** Between the start and the first record. */
  readonly first: string;
  readonly separator: string;
  readonly end: string;
  readonly render: (record: EpochRecord) => string;
}

interface Text {
  /** Epoch of the last record. */
  readonly last: number;
  readonly bytes: Buffer;
}

const COLUMNS = Object.keys(epochRecordSchema.shape) as (keyof EpochRecord)[];

export const EPOCH_FORMATS = {
  'application/json': {
    type: JSON_TYPE,
    start: '{"data":[',
    first: '',
    separator: ',',
    end: ']}',
    render: (record) => JSON.stringify(record),
  },
  /** RFC 4180, for spreadsheets and `numpy.genfromtxt`. */
  'text/csv': {
    type: 'text/csv; charset=utf-8',
    start: COLUMNS.join(','),
    first: '\r\n',
    separator: '\r\n',
    end: '\r\n',
    render: (record) => COLUMNS.map((column) => toCell(record[column])).join(','),
  },
} as const satisfies Record<string, Format>;

/** A missing number is an empty cell; the values of an array (one per layer) are separated by spaces. */
function toCell(value: EpochRecord[keyof EpochRecord]): string | number {
  return Array.isArray(value) ? value.join(' ') : (value ?? '');
}

export const epochsTag = (id: string, format: Format, last: number) => formatTag(id, format.type, last);

/** @returns a function that renders the records of a job and reads only the new ones */
export function createEpochsRenderer(training: Pick<TrainingService, 'metrics'>) {
  const texts = createByteCache<Text>();

  return async (id: string, format: Format): Promise<Prepared> => {
    const key = `${id} ${format.type}`;
    const known = texts.get(key) ?? { last: 0, bytes: Buffer.from(format.start + format.end) };
    const text = append(known, await training.metrics(id, known.last), format);
    texts.set(key, text);
    return { tag: epochsTag(id, format, text.last), bytes: text.bytes };
  };
}

function append(known: Text, records: readonly EpochRecord[], format: Format): Text {
  const last = records.at(-1);
  if (!last) return known;
  const { first, separator, end, render } = format;
  const body = known.bytes.subarray(0, known.bytes.length - end.length);
  const added = (known.last === 0 ? first : separator) + records.map(render).join(separator) + end;
  return { last: last.epoch, bytes: Buffer.concat([body, Buffer.from(added)]) };
}
