/**
 * Codec of MLflow's scoring server.
 * https://mlflow.org/docs/latest/deployment/deploy-model-locally/#json-input
 */
import type { ImageBatch } from '../../datasets/image-batch.ts';
import { readJson, rejectAt } from '../../formats/json-limits.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import type { Codec } from '../codec.ts';
import { fromColumn, fromNumbers, fromRows } from '../instances.ts';
import { assertFinite, matrixRows, toArray } from '../probabilities.ts';
import { type CsvHeader, readCsv } from './csv-table.ts';
import { recordRows, splitRows } from './dataframe.ts';
import { type Invocation, invocationSchema, type OutputForm } from './schema.ts';

export type InvocationBody =
  | { readonly type: 'json'; readonly bytes: Uint8Array }
  | { readonly type: 'csv'; readonly bytes: Uint8Array; readonly header: CsvHeader };

const FIELDS = ['inputs', 'instances', 'dataframe_split', 'dataframe_records'] as const;

export const mlflowCodec: Codec<InvocationBody, OutputForm> = {
  async decode(body, signal) {
    if (body.type === 'csv') {
      const batch = fromNumbers(readCsv(body.bytes, body.header), 'The table', false);
      return { batch, responseFormat: 'probabilities' };
    }
    const invocation = readJson(body.bytes, invocationSchema);
    return {
      batch: await decodeInvocation(invocation, signal),
      responseFormat: invocation.params?.output ?? 'probabilities',
    };
  },

  encode({ probabilities }, output, model) {
    assertFinite(model, probabilities);
    const rows = matrixRows(probabilities, model.classNames.length);
    const predictions = output === 'label' ? rows.map(argmax) : rows.map(toArray);
    return { body: JSON.stringify({ predictions }), jsonBytes: null };
  },
};

async function decodeInvocation(invocation: Invocation, signal?: () => AbortSignal): Promise<ImageBatch> {
  const present = FIELDS.filter((field) => invocation[field] !== undefined);
  if (present.length !== 1) {
    rejectAt('#', `has ${present.join(' and ') || 'no images'}; send one of ${FIELDS.join(', ')}`);
  }
  const { inputs, instances, dataframe_split: split, dataframe_records: records } = invocation;
  if (split) return fromRows(splitRows(split), '#/dataframe_split/data', signal);
  if (records) return fromRows(recordRows(records), '#/dataframe_records', signal);
  return instances === undefined
    ? fromColumn(inputs, '#/inputs', signal)
    : fromRows(instances, '#/instances', signal);
}
