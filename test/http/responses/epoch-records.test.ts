import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEpochsRenderer, EPOCH_FORMATS, epochsTag } from '../../../src/http/responses/epoch-records.ts';
import { epochRecord } from '../../store/fixtures.ts';

const ID = 'job_1';
const [json, csv] = [EPOCH_FORMATS['application/json'], EPOCH_FORMATS['text/csv']];

/** A renderer of records that a test adds, and the epochs after which it has read them. */
function createRenderer() {
  const records = [{ ...epochRecord(1, 0.5), deadUnits: [0.25, 0.5] }, epochRecord(2, null)];
  const readAfter: number[] = [];
  const render = createEpochsRenderer({
    async metrics(_id, after = 0) {
      readAfter.push(after);
      return records.filter(({ epoch }) => epoch > after);
    },
  });
  return { records, readAfter, render };
}

test('the epochs of a job become JSON that grows with them', async () => {
  const { records, readAfter, render } = createRenderer();
  const read = async () => (await render(ID, json)).bytes.toString();
  assert.equal(await read(), JSON.stringify({ data: records }));
  const { tag } = await render(ID, json);
  records.push(epochRecord(3, 0.25), epochRecord(4, 0.125));
  assert.equal(await read(), JSON.stringify({ data: records }));
  records.push(epochRecord(5, 0.5));
  assert.equal(await read(), JSON.stringify({ data: records }));
  assert.deepEqual(readAfter, [0, 2, 2, 4]);
  assert.equal(tag, epochsTag(ID, json, 2));
  assert.equal((await render(ID, json)).tag, epochsTag(ID, json, 5));
});

test('the epochs of a job become a table whose missing numbers are empty cells', async () => {
  const { records, render } = createRenderer();
  const [head, ...lines] = (await render(ID, csv)).bytes.toString().split('\r\n');
  const columns = head!.split(',');
  assert.deepEqual([...columns].toSorted(), Object.keys(records[0]!).toSorted());
  const cells = lines.map((line) => line.split(','));
  const column = (name: string) => cells.slice(0, 2).map((row) => row[columns.indexOf(name)]);
  assert.deepEqual(column('epoch'), ['1', '2']);
  assert.deepEqual(column('validationLoss'), ['0.5', '']);
  assert.deepEqual(column('deadUnits'), ['0.25 0.5', '0.025']);
  assert.deepEqual(cells.slice(2), [['']], 'the last line ends like the others');
  records.push(epochRecord(3, 0.75));
  const grown = (await render(ID, csv)).bytes.toString();
  assert.ok(grown.startsWith([head, ...lines.slice(0, 2)].join('\r\n')));
  assert.deepEqual([grown.split('\r\n').length, grown.endsWith('\r\n')], [5, true]);
});

test('a job without epochs has an empty list, and a table of its columns', async () => {
  const render = createEpochsRenderer({ metrics: async () => [] });
  assert.equal((await render(ID, json)).bytes.toString(), '{"data":[]}');
  const { bytes, tag } = await render(ID, csv);
  assert.match(bytes.toString(), /^epoch,[\w,]+\r\n$/);
  assert.equal(tag, epochsTag(ID, csv, 0));
  assert.notEqual(tag, epochsTag(ID, json, 0));
});
