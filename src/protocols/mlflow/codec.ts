/**
 * Codec of MLflow's scoring server.
 * https://mlflow.org/docs/latest/deployment/deploy-model-locally/#json-input
 */
import type { Fit } from '../../domain/predictions/image-query.ts';
import { readJson, rejectAt } from '../../formats/json/limits.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import type { Codec } from '../codec.ts';
import { fromColumn, fromNumbers, fromRows, type InstanceOptions, type Instances } from '../instances.ts';
import { assertFinite, matrixRows, toArray } from '../probabilities.ts';
import { type CsvHeader, readCsv } from './csv-table.ts';
import { columnRows, isTableRow, recordRows, splitRows } from './dataframe.ts';
import { type Invocation, invocationSchema, type OutputForm } from './schema.ts';

export type InvocationBody = { readonly bytes: Uint8Array; readonly fit?: Fit } & (
  | { readonly type: 'json' }
  | { readonly type: 'csv'; readonly header: CsvHeader }
);

const FIELDS = ['inputs', 'instances', 'dataframe_split', 'dataframe_records'] as const;

export const mlflowCodec: Codec<InvocationBody, OutputForm> = {
  decode(body, { architecture: { inputShape } }) {
    const options = { image: inputShape, fit: body.fit };
    if (body.type === 'csv') {
      const table = readCsv(body.bytes, body.header, inputShape);
      return { ...fromNumbers(table, 'The table', false, options), responseFormat: 'probabilities' };
    }
    const invocation = readJson(body.bytes, invocationSchema);
    return {
      // MLflow's signature declares which columns are Base64; here, text can be nothing else.
      ...readInvocation(invocation, { ...options, readsText: true }),
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

function readInvocation(invocation: Invocation, options: InstanceOptions): Instances {
  const present = FIELDS.filter((field) => invocation[field] !== undefined);
  if (present.length !== 1) {
    rejectAt('#', `has ${present.join(' and ') || 'no images'}; send one of ${FIELDS.join(', ')}`);
  }
  const { inputs, instances, dataframe_split: split, dataframe_records: records } = invocation;
  if (split) return fromRows(splitRows(split), '#/dataframe_split/data', options);
  if (records) return fromRows(recordRows(records, '#/dataframe_records'), '#/dataframe_records', options);
  if (isTableRow(inputs)) return fromRows(columnRows(inputs, '#/inputs'), '#/inputs', options);
  if (instances === undefined) return fromColumn(inputs, '#/inputs', options);
  const isTable = Array.isArray(instances) && isTableRow(instances[0]);
  return fromRows(isTable ? recordRows(instances, '#/instances') : instances, '#/instances', options);
}
