/** MLflow's scoring server. */

import type { ImageBatch } from '../../datasets/image-batch.ts';
import { matrixRows, toArray } from '../../domain/prediction.ts';
import { readJson, refuseAt } from '../../formats/json-bounds.ts';
import { argmax } from '../../numerics/reference/cross-entropy.ts';
import { assertFinite, type DecodedRequest } from '../compute-response.ts';
import { fromColumn, fromNumbers, fromRows } from '../instances.ts';
import { readCsv } from './csv-table.ts';
import { type InvocationBody, recordRows, splitRows } from './dataframe.ts';
import { type Invocation, invocationSchema, type OutputForm } from './schema.ts';

const FORMATS = ['inputs', 'instances', 'dataframe_split', 'dataframe_records'] as const;

/** @throws AtelierError `malformed-body`, `invalid-request`, and what is wrong with the images */
export async function readMlflow(body: InvocationBody): Promise<DecodedRequest> {
  if (body.type === 'csv') {
    return readerOf(fromNumbers(readCsv(body.bytes, body.header), 'The table', false), 'probabilities');
  }
  const invocation = readJson(body.bytes, invocationSchema);
  return readerOf(await imagesOf(invocation), invocation.params?.output ?? 'probabilities');
}

async function imagesOf(invocation: Invocation): Promise<ImageBatch> {
  const given = FORMATS.filter((format) => invocation[format] !== undefined);
  if (given.length !== 1) {
    refuseAt('#', `has ${given.join(' and ') || 'no images'}; send one of ${FORMATS.join(', ')}`);
  }
  const { inputs, instances, dataframe_split: split, dataframe_records: records } = invocation;
  if (split) return fromRows(splitRows(split), '#/dataframe_split/data');
  if (records) return fromRows(recordRows(records), '#/dataframe_records');
  return instances === undefined ? fromColumn(inputs, '#/inputs') : fromRows(instances, '#/instances');
}

function readerOf(batch: ImageBatch, output: OutputForm): DecodedRequest {
  return {
    batch,
    write(network, { probabilities }) {
      assertFinite(network, probabilities);
      const rows = matrixRows(probabilities, network.classNames.length);
      const predictions = output === 'label' ? rows.map(argmax) : rows.map(toArray);
      return { body: JSON.stringify({ predictions }), jsonBytes: null };
    },
  };
}
